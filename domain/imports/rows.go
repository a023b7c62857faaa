package imports

import (
	"slices"

	"agnes/domain/access"
)

// planHistory maps finished syncs of the old server.
func (p *plan) planHistory(rows []cells) Batch {
	b := Batch{Target: Target{
		Table: "sync_history", From: "sync_history", Key: []string{"id"}, Log: true,
		Columns: []string{"id", "table_id", "synced_at", "rows", "duration_ms", "status", "error", "run_id"},
	}}
	for _, c := range rows {
		b.Rows = append(b.Rows, c.as(
			c.id(), c.text("table_id"), c.time("synced_at", p.otherwise), c.number("rows"), c.number("duration_ms"),
			orElse(c.text("status"), "ok"), c.text("error"), "",
		))
	}
	return b
}

// planAudit maps the audit log. Addresses are filled in where the account is
// known, because people leave.
func (p *plan) planAudit(rows []cells) Batch {
	b := Batch{Target: Target{
		Table: "audit_log", From: "audit_log", Key: []string{"id"}, Log: true,
		Columns: []string{
			"id", "timestamp", "user_id", "user_email", "action", "resource", "params", "params_before",
			"result", "duration_ms", "client_ip", "client_kind", "correlation_id",
		},
	}}
	for _, c := range rows {
		who := c.text("user_id")
		b.Rows = append(b.Rows, c.as(
			c.id(), c.time("timestamp", p.otherwise), p.user(who), p.addresses[who], c.text("action"), c.text("resource"),
			object(c.text("params")), object(c.text("params_before")),
			c.text("result"), c.number("duration_ms"), c.text("client_ip"), c.text("client_kind"), c.text("correlation_id"),
		))
	}
	return b
}

// planProfiles maps profiles of tables that are registered here. They are of
// rows that no version here has, so the next sync makes new ones.
func (p *plan) planProfiles(rows []cells) Batch {
	b := Batch{Target: Target{
		Table: "table_profiles", From: "table_profiles", Key: []string{"table_id"}, Columns: []string{"table_id", "profile", "profiled_at"},
	}}
	for _, c := range rows {
		id := c.id()
		switch profile := object(c.text("profile")); {
		case p.removedHere("table_profiles", id, thing{"table_registry", id}):
		case p.tables[id] == "":
			p.report.skip("table_profiles", id, "table_missing", "No table has the id %s.", id)
		case profile == "":
			p.report.skip("table_profiles", id, "profile_empty", "The profile of %s is empty.", p.tables[id])
		default:
			b.Rows = append(b.Rows, c.as(id, profile, c.time("profiled_at", p.otherwise)))
		}
	}
	return b
}

// planPlain maps the rows of a table that is kept as it was.
func (p *plan) planPlain(t Table, rows []cells) Batch {
	b := Batch{Target: Target{Table: t.Name, From: t.Name, Columns: t.Names(), Key: t.Key(), Log: t.Log()}}
	if t.Index("updated_at") >= 0 {
		b.Newer = "updated_at"
	}
	seen := map[string]bool{}
	for _, c := range rows {
		row, ok := p.plainRow(t, c)
		if !ok {
			continue
		}
		if key := rowKey(b.Target, row); seen[key] {
			p.report.counts(t.Name).Merged++ // rows of accounts that are one here
			continue
		} else {
			seen[key] = true
		}
		b.Rows = append(b.Rows, row)
		p.checkScopes(t, c)
	}
	return b
}

// checkScopes remarks on a token that will open nothing here.
func (p *plan) checkScopes(t Table, c cells) {
	if t.Name != "personal_access_tokens" || c.text("revoked_at") != "" {
		return
	}
	if _, err := access.ParseScopes(c.text("scopes")); err != nil {
		p.report.remark(t.Name, c.id(), "scope_unknown", "The token %q of %s has the scope %q, which Agnes does not know: it opens nothing here. Its person needs a new one.",
			shorten(c.text("name")), p.addresses[c.text("user_id")], shorten(c.text("scopes")))
	}
}

func (p *plan) plainRow(t Table, c cells) (Row, bool) {
	row := c.as(make([]any, len(t.Columns))...)
	for i, col := range t.Columns {
		cell := c.row[i]
		if cell == nil {
			if col.Key && col.Type != Text {
				p.report.skip(t.Name, c.id(), "key_missing", "The row has no %s, which tells rows apart.", col.Name)
				return Row{}, false
			}
			if col.Key {
				row.Values[i] = ""
			}
			continue
		}
		v, fits := value(col.Type, *cell)
		switch {
		case col.Owner && p.removedHere(t.Name, c.id(), thing{"users", *cell}):
			return Row{}, false
		case col.Owner:
			here, known := p.users[*cell]
			if !known {
				p.report.skip(t.Name, c.id(), "user_missing", "There is no account %s here that the row could belong to.", *cell)
				return Row{}, false
			}
			v = here
		case col.Mention:
			v = p.user(*cell)
		case !fits && col.Key:
			p.report.skip(t.Name, c.id(), "value_invalid", "%s holds %q, which is none.", col.Name, shorten(*cell))
			return Row{}, false
		case !fits && endless(t, col, *cell):
			v = nil
		case !fits && ends(t, col):
			p.report.skip(t.Name, c.id(), "value_invalid", "%s holds %q, which is no time here, and without it the token would go on working.", col.Name, shorten(*cell))
			return Row{}, false
		case !fits:
			p.report.remark(t.Name, c.id(), "value_invalid", "%s holds %q, which cannot be kept there; it is left empty.", col.Name, shorten(*cell))
			v = nil
		}
		row.Values[i] = v
	}
	return row, true
}

// ends reports whether a column says that a token works no more.
func ends(t Table, c Column) bool {
	return t.Name == "personal_access_tokens" && (c.Name == "expires_at" || c.Name == "revoked_at")
}

// endless reports whether a cell says that a token has no end, which is kept as none.
func endless(t Table, c Column, text string) bool {
	return ends(t, c) && c.Name == "expires_at" && text == "infinity"
}

func shorten(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

// rowKey is what tells rows of a target apart.
func rowKey(t Target, r Row) string {
	key := ""
	for i, column := range t.Columns {
		if slices.Contains(t.Key, column) {
			s, _ := r.Values[i].(string) // a number alone is a key in setup_banner only, which is not taken over
			key += s + "\x00"
		}
	}
	return key
}
