package warehouse

import (
	"path/filepath"
	"testing"
)

func TestOpenSettingsHoldOnEveryConnection(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	db, err := s.locked(t.Context(), filepath.Join(s.dir, "allowed.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for range 3 {
		conn, err := db.Conn(t.Context()) // held to the end, so that each is another
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
		for setting, want := range map[string]string{
			"TimeZone": "UTC", "memory_limit": "256.0 MiB", "threads": "2", "enable_external_access": "false", "lock_configuration": "true",
			"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "allow_community_extensions": "false",
			"temp_directory": s.scratch,
		} {
			var got string
			err := conn.QueryRowContext(t.Context(), "SELECT CAST(current_setting("+quoteLiteral(setting)+") AS VARCHAR)").Scan(&got)
			if err != nil || got != want {
				t.Errorf("%s is %q, %v, want %q", setting, got, err, want)
			}
		}
	}
}

func TestLockedInstanceIsShut(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "state/secret.csv", "a\n1\n")
	db, err := s.locked(t.Context(), mustPath(t, s, "files/a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	secret := quoteLiteral(mustPath(t, s, "state/secret.csv"))
	for _, query := range []string{
		"FROM read_csv(" + secret + ")", "FROM read_text('/etc/passwd')", "FROM glob('/etc/*')", "COPY (SELECT 1) TO " + secret,
		"ATTACH " + quoteLiteral(mustPath(t, s, "x.duckdb")), "SET enable_external_access = true", "SET memory_limit = '10GB'", "INSTALL httpfs", "LOAD httpfs",
	} {
		if _, err := db.ExecContext(t.Context(), query); err == nil {
			t.Errorf("%s succeeded", query)
		}
	}
}
