package storetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// Fill adds n connections to the bundle of a Rig, each with a connected
// authorization, an ingestion and a destination like the Rig's own.
func (r Rig) Fill(tb testing.TB, s *store.Store, n int) {
	tb.Helper()
	ctx, c := tb.Context(), Caller()
	var all sync.WaitGroup
	const workers = 64 // their transactions share a commit
	for w := range workers {
		all.Go(func() {
			for k := w; k < n; k += workers {
				a, i := r.Authorization, r.Ingestion
				a.ID, i.ID = uuid.NewString(), uuid.NewString()
				a.Tenant = fabric.Tenant{Identifier: fmt.Sprintf("tenant-%05d", k), DisplayName: fmt.Sprintf("Tenant %d", k)}
				i.TenantID = a.Tenant.Identifier
				if _, err := s.CreateAppAuthorization(ctx, c, a, store.Given{Credential: make([]byte, 300)}, store.Terms{}); err != nil {
					tb.Errorf("fill: authorization: %v", err)
					return
				}
				if _, err := s.CreateIngestion(ctx, c, i, store.Start{Streams: []string{"system_log"}, Cursor: "{}", From: i.CreatedAt}, store.Terms{}); err != nil {
					tb.Errorf("fill: ingestion: %v", err)
					return
				}
				d := fabric.IngestionDestination{
					ID: uuid.NewString(), BundleID: i.BundleID, IngestionID: i.ID, Account: i.Account, Region: i.Region,
					Processing: fabric.Processing{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON},
					Place:      fabric.Place{Bucket: "audit-logs"}, Status: fabric.Active, CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt,
				}
				if _, err := s.CreateIngestionDestination(ctx, c, d, store.Terms{}); err != nil {
					tb.Errorf("fill: destination: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
}
