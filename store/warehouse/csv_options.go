package warehouse

import (
	"cmp"
	"fmt"
	"strings"

	"agnes/domain/files"
)

// sniffOptions narrow what the sniffer may choose; "" leaves it free.
type sniffOptions struct {
	delim, quote, escape string
	unquoted             bool
	header               files.Choice
	skip                 int
	nulls                []string
	decimal, dates       string
	lenient              bool
	fixed                *dialect // keep this dialect, guess the types only
	sample               int
}

// sniffOptions are the corrections as far as the sniffer takes them.
func (r *reader) sniffOptions() sniffOptions {
	c := r.options
	o := sniffOptions{
		delim: r.delimiter(), quote: c.Quote, escape: c.Escape, header: c.Header, skip: r.skipped(), nulls: c.Nulls,
		decimal: c.Decimal, dates: c.DateFormat, lenient: r.lenient, sample: sampleRows,
	}
	switch {
	case r.format == files.XLSX: // as it was written to the scratch folder
		o.delim, o.quote, o.escape, o.skip, o.decimal = ",", `"`, `"`, 0, ""
	case o.quote == files.NoQuote:
		o.quote, o.unquoted = "", true
	case o.quote == "":
		o.quote = `"`
	}
	if r.format == files.TSV && o.delim == "" {
		o.delim = "\t"
	}
	return o
}

// args are the sniffer's arguments.
func (o sniffOptions) args(path string) []string {
	args := []string{quoteFile(path), "comment = ''", "compression = 'none'", fmt.Sprintf("sample_size = %d", o.sample)}
	switch {
	case o.fixed != nil:
		args = append(args, o.fixed.shape()...)
	default:
		if o.delim != "" {
			args = append(args, "delim = "+quoteLiteral(o.delim))
		}
		if o.quote != "" || o.unquoted {
			args = append(args, "quote = "+quoteLiteral(o.quote), "escape = "+quoteLiteral(cmp.Or(o.escape, o.quote)))
		}
		if o.header != files.Found {
			args = append(args, fmt.Sprintf("header = %t", o.header == files.Yes))
		}
		if o.skip > 0 {
			args = append(args, fmt.Sprintf("skip = %d", o.skip))
		}
	}
	if o.dates != "" {
		args = append(args, dateOption(o.dates))
	}
	if o.lenient {
		args = append(args, "ignore_errors = true")
	}
	return append(args, valueOptions(o.nulls, o.decimal)...)
}

// dateOption is a date's form as an argument: with hours it is a timestamp's.
func dateOption(format string) string {
	if strings.Contains(format, "%H") || strings.Contains(format, "%I") {
		return "timestampformat = " + quoteLiteral(format)
	}
	return "dateformat = " + quoteLiteral(format)
}

// valueOptions are the arguments that say how values are written.
func valueOptions(nulls []string, decimal string) (args []string) {
	if len(nulls) > 0 {
		args = append(args, "nullstr = "+quoteList(quoteLiteral, append([]string{""}, nulls...)))
	}
	if decimal != "" && decimal != "." {
		args = append(args, "decimal_separator = "+quoteLiteral(decimal))
	}
	return args
}
