package store

import "testing"

// Pragma reads a setting of the writer's connection.
func (s *Store) Pragma(t *testing.T, name string) string {
	t.Helper()
	var v string
	if err := s.writer.QueryRowContext(t.Context(), `PRAGMA `+name).Scan(&v); err != nil {
		t.Fatalf("PRAGMA %s: %v", name, err)
	}
	return v
}

// Break makes every statement of a kind on a table fail, as a crash at that
// point would, until Mend.
func (s *Store) Break(t *testing.T, statement, table string) {
	t.Helper()
	_, err := s.writer.ExecContext(t.Context(), `CREATE TRIGGER broken BEFORE `+statement+` ON `+table+
		` BEGIN SELECT RAISE(ABORT, 'broken'); END`)
	if err != nil {
		t.Fatal(err)
	}
}

// Mend ends Break.
func (s *Store) Mend(t *testing.T) {
	t.Helper()
	if _, err := s.writer.ExecContext(t.Context(), `DROP TRIGGER broken`); err != nil {
		t.Fatal(err)
	}
}
