package warehouse

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"agnes/domain/profile"
)

// examples takes the sample rows and the first different values from the first
// rows.
func (p *profiler) examples(ctx context.Context, batch []profiled) error {
	texts := make([]string, len(batch))
	for i := range batch {
		texts[i] = batch[i].text()
	}
	query := "SELECT " + strings.Join(texts, ", ") + " FROM " + p.from + " LIMIT " + strconv.Itoa(leadRows)
	rows, err := collect(ctx, p.db, query, func(r *sql.Rows) ([]*string, error) {
		cells, into := make([]*string, len(batch)), make([]any, len(batch))
		for i := range cells {
			into[i] = &cells[i]
		}
		return cells, r.Scan(into...)
	})
	if err != nil {
		return fmt.Errorf("read the first rows: %w", err)
	}
	for i, row := range rows {
		if i < p.settings.SampleRows && i == len(p.out.SampleRows) {
			p.out.SampleRows = append(p.out.SampleRows, profile.SampleRow{})
		}
		for k, cell := range row {
			c := &batch[k]
			if i < p.settings.SampleRows {
				p.out.SampleRows[i][c.Name] = cellJSON(c.category, cell)
			}
			if cell != nil && len(c.out.SampleValues) < p.settings.SampleValues && !slices.Contains(c.out.SampleValues, *cell) {
				c.out.SampleValues = append(c.out.SampleValues, *cell)
			}
		}
	}
	return nil
}

// cellJSON is a value of a sample row: a number or yes and no where JSON has
// them, text for everything else.
func cellJSON(category profile.Category, cell *string) json.RawMessage {
	if cell == nil {
		return json.RawMessage("null")
	}
	if (category == profile.Numeric || category == profile.Boolean) && json.Valid([]byte(*cell)) {
		return json.RawMessage(*cell)
	}
	text, err := json.Marshal(*cell)
	if err != nil { // a text always has a JSON form
		return json.RawMessage("null")
	}
	return text
}
