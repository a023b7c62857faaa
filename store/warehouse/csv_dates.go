package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"agnes/domain/registry"
)

// otherOrder is a form of dates with day and month the other way round; "" when it
// has none.
func otherOrder(form string) string {
	if !strings.Contains(form, "%d") || !strings.Contains(form, "%m") || strings.HasPrefix(strings.ToLower(form), "%y") {
		return "" // nobody writes the day right behind the year
	}
	return strings.NewReplacer("%d", "%m", "%m", "%d").Replace(form)
}

// unclear are the columns of which every date could have day and month the other
// way round. from has the columns under their names in the table.
func (r *reader) unclear(ctx context.Context, db *sql.DB, columns []registry.Column, from string) ([]string, error) {
	if !r.delimited() || r.options.DateFormat != "" {
		return nil, nil
	}
	forms := map[string]string{"DATE": r.csv.dateFormat, "TIMESTAMP": r.csv.timestamp}
	var which []int
	for i, c := range columns {
		if otherOrder(forms[c.Type]) != "" && !r.given(c.Name) {
			which = append(which, i)
		}
	}
	which, err := trueFor(ctx, db, which, " FROM "+from, func(i int) string {
		return fmt.Sprintf("coalesce(bool_and(NOT isfinite(%s) OR day(%[1]s) <= 12) AND bool_or(isfinite(%[1]s) AND day(%[1]s) <> month(%[1]s)), false)", "t."+quoteIdent(columns[i].Name))
	})
	names := make([]string, len(which))
	for k, i := range which {
		names[k] = columns[i].Name
	}
	return names, err
}

// unclearWords says of columns that their dates are a guess.
func unclearWords(form string, names []string) []string {
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	first, other := "day", "month"
	if strings.Index(form, "%m") < strings.Index(form, "%d") {
		first, other = other, first
	}
	return []string{fmt.Sprintf("Dates in %s are read with the %s first, and each could have the %s first as well. Choose the form of dates under the corrections if that is wrong.",
		strings.Join(slices.Compact(names), ", "), first, other)}
}
