package warehouse

// keepText makes text of a sheet's columns that hold text cells: what looks
// like a number there, such as 00123, was not meant as one.
func (r *reader) keepText(d *dialect) {
	if r.sheet == nil {
		return
	}
	if !d.header {
		r.sheet.noteFirst(r.options.Nulls)
	}
	if r.sheet.merged {
		r.sheet.merged = false // said once
		d.warnings = append(d.warnings, "Cells of the sheet are merged. Only the first of them holds the value, the others are empty.")
	}
	for i := range d.columns {
		if i < len(r.sheet.text) && r.sheet.text[i] {
			d.columns[i].Type = "VARCHAR"
		}
	}
}
