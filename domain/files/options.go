package files

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"agnes/domain"
)

// Options correct how a file is read. Their zero value changes nothing: all is
// found out from the file. They are kept with the table and hold at each sync.
type Options struct {
	Sheet      string         `json:"sheet,omitempty"`       // of a workbook; "" for the first
	Header     Choice         `json:"header,omitempty"`      // whether the first line names the columns
	Delimiter  string         `json:"delimiter,omitempty"`   // of CSV and TSV
	Quote      string         `json:"quote,omitempty"`       // one character, or NoQuote
	Escape     string         `json:"escape,omitempty"`      // of a quote within quotes
	Nulls      []string       `json:"null_words,omitempty"`  // words that stand for no value
	Encoding   Encoding       `json:"encoding,omitempty"`    // of text
	Decimal    string         `json:"decimal,omitempty"`     // . or ,
	DateFormat string         `json:"date_format,omitempty"` // such as %d.%m.%Y
	Skip       int            `json:"skip,omitempty"`        // lines before the table
	Misfits    MisfitPolicy   `json:"misfits,omitempty"`     // what becomes of rows that do not fit
	Columns    []ColumnOption `json:"columns,omitempty"`
}

// Choice is yes, no, or as found.
type Choice string

// The choices.
const (
	Found Choice = ""
	Yes   Choice = "yes"
	No    Choice = "no"
)

// NoQuote says that a file has no quotes.
const NoQuote = "none"

// Encoding is how a file of text is written.
type Encoding string

// The encodings read here; "" is UTF-8. Latin-1 is read as Windows-1252, which
// holds it.
const (
	UTF8    Encoding = "utf-8"
	UTF16   Encoding = "utf-16"
	Windows Encoding = "windows-1252"
)

// MisfitPolicy is what becomes of rows that do not fit.
type MisfitPolicy string

// The policies; "" is RejectAll.
const (
	RejectAll MisfitPolicy = "reject_all" // nothing is taken
	SkipRows  MisfitPolicy = "skip"       // they are kept aside for download
	NullCells MisfitPolicy = "null_cell"  // the cell becomes NULL, and is counted
)

// ColumnOption corrects one column.
type ColumnOption struct {
	Column string `json:"column"`         // its name in the file
	Name   string `json:"name,omitempty"` // its new name; "" keeps it
	Type   string `json:"type,omitempty"` // "" as found
	Drop   bool   `json:"drop,omitempty"`
}

// ColumnTypes are the types that pages offer for a column.
func ColumnTypes() []string {
	return []string{"VARCHAR", "BIGINT", "DOUBLE", "DECIMAL(18,2)", "BOOLEAN", "DATE", "TIMESTAMP", "TIME"}
}

// The most that options hold.
const (
	maxNulls      = 20
	maxWord       = 64
	maxColumnName = 256
	maxColumns    = 5000
	maxSkip       = 1_000_000
	maxOptions    = 1 << 20
)

var (
	columnType = regexp.MustCompile(`^(VARCHAR|BIGINT|INTEGER|SMALLINT|DOUBLE|FLOAT|HUGEINT|BOOLEAN|DATE|TIME|TIMESTAMP|TIMESTAMPTZ|UUID|JSON|DECIMAL\(([1-9]|[12][0-9]|3[0-8]),([0-9]|[12][0-9]|3[0-8])\))$`)
	dateFormat = regexp.MustCompile(`^([^%]|%-?[aAbBdeHIjmMpSfgnyYzZ%])+$`)
)

// ParseOptions reads options as they are stored; "" is none. What it returns is
// valid.
func ParseOptions(text string) (Options, error) {
	var o Options
	if strings.TrimSpace(text) == "" {
		return o, nil
	}
	if len(text) > maxOptions {
		return o, domain.FieldError("read_options", "The corrections are longer than 1 MB.")
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return Options{}, domain.FieldError("read_options", "The corrections cannot be read: they are an object such as {\"delimiter\": \";\", \"decimal\": \",\"}.").Because(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Options{}, domain.FieldError("read_options", "The corrections are one object, with nothing behind it.")
	}
	if err := o.Normalize(); err != nil {
		return Options{}, err
	}
	return o, nil
}

// String is how options are stored: JSON, "" for none.
func (o Options) String() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(o); err != nil { // plain fields always encode
		return ""
	}
	text := strings.TrimSpace(b.String())
	if text == "{}" {
		return ""
	}
	return text
}

// Policy is what becomes of rows that do not fit.
func (o Options) Policy() MisfitPolicy {
	if o.Misfits == "" {
		return RejectAll
	}
	return o.Misfits
}

// Normalize brings options to their one spelling and checks them; its error is a
// FieldError that names the field.
func (o *Options) Normalize() error {
	o.Encoding = encodingOf(string(o.Encoding))
	if o.Misfits == RejectAll {
		o.Misfits = ""
	}
	if o.Delimiter == `\t` || strings.EqualFold(o.Delimiter, "tab") {
		o.Delimiter = "\t"
	}
	o.Nulls = slices.DeleteFunc(o.Nulls, func(w string) bool { return w == "" })
	if len(o.Nulls) == 0 {
		o.Nulls = nil
	}
	for _, check := range []func() error{o.checkDialect, o.checkWords, o.normalizeColumns} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func encodingOf(text string) Encoding {
	switch strings.ToLower(strings.NewReplacer("_", "-", " ", "-").Replace(text)) {
	case "", "utf-8", "utf8":
		return ""
	case "utf-16", "utf16", "utf-16le", "utf-16be":
		return UTF16
	case "latin-1", "latin1", "iso-8859-1", "windows-1252", "cp1252":
		return Windows
	}
	return Encoding(text)
}

func (o *Options) checkDialect() error {
	switch {
	case !slices.Contains([]Choice{Found, Yes, No}, o.Header):
		return domain.FieldError("header", "Whether there is a line with column names is yes, no or left open.")
	case o.Delimiter != "" && (utf8.RuneCountInString(o.Delimiter) > 4 || !printable(o.Delimiter, "\t") || strings.Contains(o.Delimiter, `"`)):
		return domain.FieldError("delimiter", "The separator is 1 to 4 characters, such as , or ; or a tab.")
	case o.Quote != "" && o.Quote != NoQuote && (len(o.Quote) != 1 || !printable(o.Quote, "") || o.Quote == o.Delimiter):
		return domain.FieldError("quote", "The quote is one character that is not the separator, or none.")
	case o.Escape != "" && (len(o.Escape) != 1 || !printable(o.Escape, "") || o.Escape == o.Delimiter || o.Quote == NoQuote):
		return domain.FieldError("escape", "The escape is one character before a quote within quotes, such as \\.")
	case !slices.Contains([]Encoding{"", UTF16, Windows}, o.Encoding):
		return domain.FieldError("encoding", "The encoding is utf-8, utf-16 or windows-1252 (which is also latin-1).")
	case o.Decimal != "" && o.Decimal != "." && o.Decimal != ",":
		return domain.FieldError("decimal", "The decimal separator is . or ,")
	case o.Decimal != "" && o.Decimal == o.Delimiter:
		return domain.FieldError("decimal", "The same character cannot separate decimals and columns.")
	case o.Skip < 0 || o.Skip > maxSkip:
		return domain.FieldError("skip", "The lines before the table are counted from 0 to 1,000,000.")
	}
	return nil
}

func (o *Options) checkWords() error {
	switch {
	case o.DateFormat != "" && (len(o.DateFormat) > maxWord || !printable(o.DateFormat, "") || !strings.Contains(o.DateFormat, "%") || !dateFormat.MatchString(o.DateFormat)):
		return domain.FieldError("date_format", "A date's form is written with %%d, %%m, %%Y, %%H, %%M and %%S, such as %%d.%%m.%%Y.")
	case !slices.Contains([]MisfitPolicy{"", SkipRows, NullCells}, o.Misfits):
		return domain.FieldError("misfits", "What becomes of rows that do not fit is reject_all, skip or null_cell.")
	case len(o.Nulls) > maxNulls:
		return domain.FieldError("null_words", "At most %d words can stand for no value.", maxNulls)
	case len(o.Sheet) > maxColumnName || !printable(o.Sheet, ""):
		return domain.FieldError("sheet", "The sheet's name cannot be used.")
	}
	for _, w := range o.Nulls {
		if len(w) > maxWord || !printable(w, "") {
			return domain.FieldError("null_words", "A word for no value has at most %d characters, all visible.", maxWord)
		}
	}
	return nil
}

// normalizeColumns drops corrections that change nothing.
func (o *Options) normalizeColumns() error {
	if len(o.Columns) > maxColumns {
		return domain.FieldError("columns", "At most %d columns can be corrected.", maxColumns)
	}
	seen, kept := map[string]bool{}, []ColumnOption(nil)
	for _, c := range o.Columns {
		c.Name, c.Type = strings.TrimSpace(c.Name), strings.ToUpper(strings.ReplaceAll(c.Type, " ", ""))
		if c.Name == c.Column {
			c.Name = ""
		}
		switch {
		case c.Column == "" || len(c.Column) > 4*maxColumnName || !printable(c.Column, ""):
			return domain.FieldError("columns", "A correction names the column of the file that it is for.")
		case seen[strings.ToLower(c.Column)]:
			return domain.FieldError("columns", "The column %s is corrected twice.", c.Column)
		case len(c.Name) > maxColumnName || !printable(c.Name, ""):
			return domain.FieldError("columns", "The new name of %s has at most %d characters, all visible.", c.Column, maxColumnName)
		case c.Type != "" && !columnType.MatchString(c.Type):
			return domain.FieldError("columns", "The type of %s is one of %s.", c.Column, strings.Join(ColumnTypes(), ", "))
		}
		seen[strings.ToLower(c.Column)] = true
		if c.Drop {
			c.Name, c.Type = "", ""
		}
		if c.Drop || c.Name != "" || c.Type != "" {
			kept = append(kept, c)
		}
	}
	o.Columns = kept
	return nil
}

// Column returns the correction of a column of the file.
func (o Options) Column(name string) (ColumnOption, bool) {
	for _, c := range o.Columns {
		if strings.EqualFold(c.Column, name) {
			return c, true
		}
	}
	return ColumnOption{}, false
}

// printable reports whether text is valid and visible, but for what is also
// allowed.
func printable(text, also string) bool {
	for _, r := range text {
		if (r < ' ' || r == 0x7f || r == utf8.RuneError) && !strings.ContainsRune(also, r) {
			return false
		}
	}
	return utf8.ValidString(text)
}
