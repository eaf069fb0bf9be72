package fabric

import "time"

// AppBundle holds all that one account keeps in one Region.
type AppBundle struct {
	ID        string // lower-case UUID
	Account   string
	Region    string
	KeyARN    string // customerManagedKeyArn; empty: the server's own key
	CreatedAt time.Time
}

// ARN returns the bundle's ARN.
func (b AppBundle) ARN() ARN {
	return ARN{Region: b.Region, Account: b.Account, Kind: KindAppBundle, Bundle: b.ID}
}
