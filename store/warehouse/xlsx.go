package warehouse

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"agnes/domain/files"
)

// A workbook is read by our own reader of its rows: the libraries at hand take
// the end of a damaged sheet for its last row, and drop parts of texts.

// The most that a workbook may hold.
const (
	maxBookParts  = 10_000
	maxBookBytes  = 8 << 30
	maxBookRatio  = 200      // unpacked to packed, once the workbook is large
	largeBook     = 64 << 20 // unpacked
	maxBookTexts  = 512 << 20
	maxSheetWidth = 16_384
)

const nextBook = "Open it in a spreadsheet program, save it again as .xlsx, and upload that."

// book is a workbook of which one sheet is read.
type book struct {
	parts map[string]*zip.File
	names []string          // of the sheets, in their order
	paths map[string]string // of the sheets
	texts []string          // shared by all sheets
	dates []dateStyle       // by number of the cells' style
	from  int               // days that dates begin later: 1462 in some workbooks of Macs
}

// sheet is what was found in a sheet while it was written as CSV.
type sheet struct {
	names  []string // of all sheets
	name   string
	text   []bool // columns that hold text below their first row
	lost   []files.Loss
	which  []int       // columns of lost
	first  []sheetCell // the first row, until it is known whether it names the columns
	merged bool        // some cells of its rows are merged
	rows   []sheetRow  // where lines of the CSV lie in the sheet
}

func probeWorkbook(name string, head []byte) error {
	switch {
	case len(head) == 0:
		return emptyFile(name)
	case bytes.HasPrefix(head, []byte(oleMagic)):
		return refuse("file_xlsx_protected", "Save it without a password as .xlsx, and upload that.", "%s is protected by a password, or an old workbook in a new name.", name)
	case !bytes.HasPrefix(head, []byte("PK")):
		return refuse("file_xlsx_broken", nextBook, "%s is not a workbook, although its name ends like one.", name)
	}
	return nil
}

// prepareSheet writes the chosen sheet as CSV to the scratch folder.
func (s *Store) prepareSheet(ctx context.Context, r *reader, short bool) (err error) {
	z, err := zip.OpenReader(r.origin)
	if err != nil {
		return brokenBook(r.name(), err)
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	if err := checkBook(r.name(), &z.Reader); err != nil {
		return err
	}
	b, err := openBook(&z.Reader)
	if err != nil {
		return brokenBook(r.name(), err)
	}
	sheet, err := b.choose(r)
	if err != nil {
		return err
	}
	out, err := s.plainFile(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := newSheetWriter(out, b, r.options, sheet)
	if short {
		w.most = previewScan
	}
	w.ctx = ctx
	r.partial, err = w.copy()
	if err != nil {
		return brokenBook(r.name(), err)
	}
	if w.rows == 0 {
		return refuse("file_sheet_empty", "Choose another sheet, or check the workbook.", "The sheet %s of %s has no rows.", shorten(sheet.name, 60), r.name())
	}
	r.sheet = sheet
	return w.pad(r.path)
}

func brokenBook(name string, err error) error {
	if general := generalFault(err); general != nil {
		return general
	}
	var told *fault
	if errors.As(err, &told) {
		return err
	}
	if errors.Is(err, errTooMuch) {
		return bomb(name)
	}
	return refuse("file_xlsx_broken", nextBook, "%s is damaged, or not a workbook although its name ends like one.", name).because(err)
}

func bomb(name string) *fault {
	return refuse("file_xlsx_too_large", "Save the table as CSV and upload that.", "%s unpacks to far more than a workbook holds, so it was not opened.", name)
}

// checkBook refuses what unpacks to more than a workbook holds, by its own
// account; the archive's reader holds it to that.
func checkBook(name string, z *zip.Reader) error {
	var packed, plain uint64
	for _, f := range z.File {
		packed, plain = packed+f.CompressedSize64, plain+f.UncompressedSize64
		if f.Flags&1 != 0 {
			return refuse("file_xlsx_protected", "Save it without a password as .xlsx, and upload that.", "%s is protected by a password.", name)
		}
		if f.UncompressedSize64 > maxBookBytes {
			return bomb(name)
		}
	}
	if len(z.File) > maxBookParts || plain > maxBookBytes || (plain > largeBook && plain/max(1, packed) > maxBookRatio) {
		return bomb(name)
	}
	return nil
}

// openBook reads what describes the sheets.
func openBook(z *zip.Reader) (*book, error) {
	b := &book{parts: map[string]*zip.File{}, paths: map[string]string{}}
	for _, f := range z.File {
		b.parts[strings.ToLower(strings.ReplaceAll(f.Name, `\`, "/"))] = f
	}
	if err := b.readSheets(); err != nil {
		return nil, err
	}
	if err := b.readStyles(); err != nil {
		return nil, err
	}
	return b, b.readTexts()
}

// part opens one part of the workbook.
func (b *book) part(name string) (io.ReadCloser, error) {
	f, there := b.parts[strings.ToLower(name)]
	if !there {
		return nil, fmt.Errorf("part %s: %w", name, errNoPart)
	}
	return f.Open() //nolint:wrapcheck // the caller says which part
}

var errNoPart = errors.New("is not in the workbook")

// decode reads one small part.
func (b *book) decode(name string, into any) (err error) {
	in, err := b.part(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	text, err := io.ReadAll(io.LimitReader(in, largeBook+1))
	if err != nil {
		return fmt.Errorf("read part %s: %w", name, err)
	}
	if len(text) > largeBook {
		return errTooMuch
	}
	if err := xml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("decode part %s: %w", name, err)
	}
	return nil
}

// readSheets lists the sheets and finds their parts.
func (b *book) readSheets() error {
	var list struct {
		Properties struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name string     `xml:"name,attr"`
			Any  []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	var links struct {
		Links []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := errors.Join(b.decode("xl/workbook.xml", &list), b.decode("xl/_rels/workbook.xml.rels", &links)); err != nil {
		return err
	}
	if p := list.Properties.Date1904; p == "1" || p == "true" {
		b.from = 1462
	}
	for _, s := range list.Sheets {
		for _, a := range s.Any {
			for _, l := range links.Links {
				if a.Name.Local == "id" && a.Value == l.ID {
					place := path.Join("xl", l.Target)
					if strings.HasPrefix(l.Target, "/") {
						place = strings.TrimPrefix(l.Target, "/")
					}
					if _, there := b.parts[strings.ToLower(place)]; there && !strings.Contains(place, "chartsheets/") {
						b.names, b.paths[s.Name] = append(b.names, s.Name), place
					}
				}
			}
		}
	}
	if len(b.names) == 0 {
		return errors.New("no sheets")
	}
	return nil
}

// choose is the sheet that the corrections name, or the first.
func (b *book) choose(r *reader) (*sheet, error) {
	name := r.options.Sheet
	if name == "" {
		name = b.names[0]
	}
	if !slices.Contains(b.names, name) {
		shown := b.names[:min(len(b.names), 10)]
		return nil, refuse("file_sheet_missing", "Choose one of its sheets.", "%s has no sheet %s. It has %s.", r.name(), shorten(name, 60), strings.Join(shown, ", "))
	}
	return &sheet{names: b.names, name: name}, nil
}

// sheetLosses are the cells that hold an error instead of a value.
func (r *reader) sheetLosses(rel relation) []files.Loss {
	var lost []files.Loss
	for k, l := range r.sheet.lost {
		if i := r.sheet.which[k]; i < len(rel.columns) && !rel.drops[i] {
			l.Column = rel.columns[i].Name
			lost = append(lost, l)
		}
	}
	return lost
}
