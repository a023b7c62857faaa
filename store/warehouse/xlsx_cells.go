package warehouse

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dateStyle says how cells of a style show their number: as a date, a time of
// day, both, or a duration.
type dateStyle struct{ day, clock, elapsed bool }

func (d dateStyle) any() bool { return d.day || d.clock || d.elapsed }

// readStyles finds out which styles make dates of numbers. A workbook may have
// none.
func (b *book) readStyles() error {
	var styles struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	err := b.decode("xl/styles.xml", &styles)
	if errors.Is(err, errNoPart) {
		return nil
	}
	codes := map[int]string{}
	for _, f := range styles.Formats {
		codes[f.ID] = f.Code
	}
	for _, c := range styles.Cells {
		code, own := codes[c.Format]
		if !own {
			code = builtInDates[c.Format]
		}
		b.dates = append(b.dates, dateStyleOf(code))
	}
	return err
}

// builtInDates are the formats of dates that every workbook has.
var builtInDates = map[int]string{
	14: "m/d/yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "m/d/yy h:mm",
	27: "yyyy/m/d", 28: "m/d", 29: "m/d", 30: "m-d-yy", 31: "yyyy/m/d", 32: "h:mm", 33: "h:mm:ss", 34: "h:mm", 35: "h:mm:ss", 36: "yyyy/m/d",
	45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 50: "yyyy/m/d", 51: "m/d", 52: "yyyy/m", 53: "m/d", 54: "m/d", 55: "yyyy/m", 56: "m/d", 57: "yyyy/m", 58: "m/d",
}

var (
	styleQuoted  = regexp.MustCompile(`"[^"]*"|\\.|_.|\*.`)
	styleElapsed = regexp.MustCompile(`(?i)\[(h+|m+|s+)\]`)
	styleBracket = regexp.MustCompile(`\[[^\]]*\]`)
)

// dateStyleOf reads a format such as d.m.yyyy h:mm.
func dateStyleOf(code string) dateStyle {
	code, _, _ = strings.Cut(styleQuoted.ReplaceAllString(code, ""), ";")
	if styleElapsed.MatchString(code) {
		return dateStyle{elapsed: true}
	}
	code = strings.ToLower(styleBracket.ReplaceAllString(code, ""))
	if strings.Contains(code, "general") {
		return dateStyle{}
	}
	clock := strings.ContainsAny(code, "hs")
	return dateStyle{clock: clock, day: strings.ContainsAny(code, "yd") || strings.Contains(code, "m") && !clock}
}

// show writes a date's number as ISO text.
func (d dateStyle) show(number float64, from int) (string, bool) {
	if math.IsNaN(number) || number < 0 || number > 2958466 { // the year 10000
		return "", false
	}
	ms := int64(math.Round(number * 86_400_000))
	clock := func(ms int64) string {
		text := fmt.Sprintf("%02d:%02d:%02d", ms/3_600_000, ms/60_000%60, ms/1000%60)
		if ms%1000 != 0 {
			text += fmt.Sprintf(".%03d", ms%1000)
		}
		return text
	}
	if d.elapsed || d.clock && !d.day && number < 1 {
		return clock(ms), true
	}
	days, rest := ms/86_400_000, ms%86_400_000
	if from == 0 && days < 61 { // spreadsheets have a 29 February 1900
		days++
	}
	at := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(days)+from)
	text := at.Format(time.DateOnly)
	if d.clock || rest != 0 {
		text += " " + clock(rest)
	}
	return text, true
}

// readTexts reads the texts that cells share. A workbook may have none.
func (b *book) readTexts() (err error) {
	in, err := b.part("xl/sharedStrings.xml")
	if errors.Is(err, errNoPart) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	d := xml.NewDecoder(io.LimitReader(in, maxBookTexts))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read shared texts: %w", err)
		}
		if e, is := t.(xml.StartElement); is && e.Name.Local == "si" {
			text, err := textOf(d, "si")
			if err != nil {
				return err
			}
			b.texts = append(b.texts, text)
		}
	}
}

// textOf reads a text to the end of its element: all its runs, without the
// phonetic ones.
func textOf(d *xml.Decoder, until string) (string, error) {
	var text strings.Builder
	inside, silent := 0, 0
	for {
		t, err := d.Token()
		if err != nil {
			return "", fmt.Errorf("read text: %w", err)
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "t":
				inside++
			case "rPh":
				silent++
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "t":
				inside--
			case "rPh":
				silent--
			case until:
				return unescapeText(text.String()), nil
			}
		case xml.CharData:
			if inside > 0 && silent == 0 {
				text.Write(e)
			}
		}
	}
}

var escapedRune = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// unescapeText undoes how workbooks write characters that XML cannot.
func unescapeText(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	return escapedRune.ReplaceAllStringFunc(text, func(found string) string {
		n, err := strconv.ParseUint(found[2:6], 16, 16)
		if err != nil || n == 0 {
			return ""
		}
		return string(rune(n))
	})
}
