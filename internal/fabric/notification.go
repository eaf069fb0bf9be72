package fabric

import "time"

// NotificationType is a kind of change that operators are told of.
type NotificationType string

// The types of notifications.
const (
	AuthorizationTurned NotificationType = "authorization.status" // an app authorization has another status
	DestinationTurned   NotificationType = "destination.status"   // an ingestion destination has another status
	IngestionSilent     NotificationType = "ingestion.silent"     // for long no record has come
	IngestionHeard      NotificationType = "ingestion.heard"      // of a silent one records come again
	GapOpened           NotificationType = "gap.opened"           // a range of a stream could not be read
	GapHealed           NotificationType = "gap.healed"           // it was read after all
)

// NotificationTypes is all of them.
func NotificationTypes() []NotificationType {
	return []NotificationType{AuthorizationTurned, DestinationTurned, IngestionSilent, IngestionHeard, GapOpened, GapHealed}
}

// Notification tells of one change. However often it is sent, it has the same
// id and the same content.
type Notification struct {
	ID        string
	Type      NotificationType
	CreatedAt time.Time // when the change was made
	Data      NotificationData
}

// NotificationData says what has changed. It has no secrets, and of a
// provider's words only the reason that the API and the console show too. Its JSON is
// what receivers of webhooks get.
type NotificationData struct {
	ARN     string    `json:"arn"`
	App     string    `json:"app"`
	Tenant  string    `json:"tenantIdentifier"`
	Status  string    `json:"status,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Since   time.Time `json:"since,omitzero"` // of silence
	Stream  string    `json:"stream,omitempty"`
	From    time.Time `json:"from,omitzero"`     // of a gap
	To      time.Time `json:"to,omitzero"`       // of a gap
	ForGood bool      `json:"forGood,omitempty"` // of a gap: the provider does not have it any more
}
