package pages

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"agnes/domain"
	"agnes/domain/files"
	"agnes/domain/registry"
	"agnes/domain/work"
	"agnes/handlers/request"
	"agnes/views"
)

// corrections reads how a file shall be read from the preview's form. What is
// wrong with them comes back beside them.
func corrections(r *http.Request) (files.Options, error) {
	text := func(field string) string { return strings.TrimSpace(r.PostFormValue(field)) }
	o := files.Options{
		Sheet: r.PostFormValue("sheet"), Header: files.Choice(text("header")), Delimiter: delimiterOf(r.PostFormValue("delimiter")), Quote: text("quote"),
		Escape: text("escape"), Nulls: strings.Fields(r.PostFormValue("null_words")), Encoding: files.Encoding(text("encoding")), Decimal: text("decimal"),
		DateFormat: text("date_format"), Misfits: files.MisfitPolicy(text("misfits")),
	}
	names, types, drops := r.PostForm["column_name"], r.PostForm["column_type"], r.PostForm["column_drop"]
	for i, column := range r.PostForm["column"] {
		if i >= len(names) || i >= len(types) {
			break
		}
		o.Columns = append(o.Columns, files.ColumnOption{Column: column, Name: names[i], Type: types[i], Drop: slices.Contains(drops, column)})
	}
	if skip := text("skip"); skip != "" {
		n, err := strconv.Atoi(skip)
		if err != nil {
			return o, domain.FieldError("skip", "The lines before the table are a number, such as 2.")
		}
		o.Skip = n
	}
	return o, o.Normalize()
}

// delimiterOf keeps a blank or a tab, which may be what was meant.
func delimiterOf(sent string) string {
	if trimmed := strings.TrimSpace(sent); trimmed != "" {
		return trimmed
	}
	return sent
}

// optionsOf are the corrections that a table keeps; what cannot be read any
// more is none.
func optionsOf(t registry.Table) files.Options {
	o, err := files.ParseOptions(t.ReadOptions)
	if err != nil {
		return files.Options{}
	}
	return o
}

// failed puts why a file cannot be read into its preview, where it can be
// corrected; other errors come back.
func failed(v *views.PreviewView, err error) error {
	if err == nil || v.FileName == "" || domain.KindOf(err) != domain.Invalid {
		return err
	}
	v.Failed = request.Known(err).Message
	var child *work.ChildError
	if errors.As(err, &child) {
		v.Failed, v.NextStep = child.Failure.Message, child.Failure.NextStep
	}
	return nil
}

// previewStatus is that of a page about a file, readable or not.
func previewStatus(v views.PreviewView) int {
	if v.Failed != "" || len(v.Errors) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
