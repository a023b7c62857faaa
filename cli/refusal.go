package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// refusal is the server's answer to a request that it did not carry out.
type refusal struct {
	status int
	code   string // kind, reason or code of the answer, where it has one
	text   string // sentences, with lines of details
	hint   string // what to do next
}

// Error is the whole text for people.
func (e *refusal) Error() string {
	if e.hint == "" {
		return e.text
	}
	return e.text + "\n" + e.hint
}

// statusOf is the HTTP status of a refusal in err's chain, or 0.
func statusOf(err error) int {
	var e *refusal
	if errors.As(err, &e) {
		return e.status
	}
	return 0
}

// parseRefusal turns an error body into sentences: detail may be a string, an
// object or a list of invalid fields; some answers have no detail.
func parseRefusal(status int, header http.Header, data []byte) *refusal {
	e := &refusal{status: status}
	var body map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil || body == nil {
		e.text = fmt.Sprintf("HTTP %d: %s", status, plainBody(status, header, data))
		return e
	}
	switch detail := body["detail"].(type) {
	case string:
		e.text = fmt.Sprintf("HTTP %d: %s", status, cleanLines(detail))
		e.text += fieldLines(asList(body["errors"]))
	case []any:
		e.text = fmt.Sprintf("HTTP %d: the server does not accept this.%s", status, fieldLines(detail))
	case map[string]any:
		e.code, e.text = describe(status, detail)
	default:
		e.code, e.text = describe(status, body)
	}
	if id, ok := body["request_id"].(string); ok && status >= http.StatusInternalServerError {
		e.hint = "Whoever runs the server finds the cause in its log under request " + clean(id) + "."
	}
	if after := header.Get("Retry-After"); status == http.StatusTooManyRequests && after != "" {
		e.hint = "Try again in " + clean(after) + " seconds."
	}
	return e
}

func plainBody(status int, header http.Header, data []byte) string {
	text := strings.TrimSpace(string(data))
	if text == "" || !utf8.ValidString(text) || strings.Contains(header.Get("Content-Type"), "html") {
		return http.StatusText(status) + ", without a reason. Is the address really Agnes's?"
	}
	return cut(clean(text), 500)
}

// detailOrder is the order of the keys of an error object; the others follow
// by name, advice comes last.
var detailOrder = []string{
	"kind", "reason", "code", "path", "registered_as", "billing_project", "data_project", "scan_bytes",
	"limit_bytes", "tables", "current", "limit", "retry_after_seconds",
}

// unprinted are the keys that are said elsewhere, or may hold a secret.
var unprinted = []string{"message", "error", "hint", "suggestion", "request_id", "input", "password", "token"}

func describe(status int, detail map[string]any) (code, text string) {
	for _, key := range []string{"kind", "reason", "code"} {
		if s, ok := detail[key].(string); ok && code == "" {
			code = s
		}
	}
	label := strings.ReplaceAll(code, "_", " ")
	for _, key := range []string{"error", "message"} {
		if s, ok := detail[key].(string); ok && s != "" {
			label = s
		}
	}
	if label == "" {
		label = http.StatusText(status)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Error: %s (HTTP %d)", clean(label), status)
	for _, key := range orderedKeys(detail) {
		if detail[key] != nil {
			fmt.Fprintf(&b, "\n  %s: %s", clean(key), inline(detail[key]))
		}
	}
	for _, key := range []string{"hint", "suggestion"} {
		if s, ok := detail[key].(string); ok && s != "" {
			b.WriteString("\n" + wrap(clean(s), 80))
		}
	}
	return code, b.String()
}

func orderedKeys(detail map[string]any) []string {
	var first, rest []string
	for _, key := range detailOrder {
		if _, ok := detail[key]; ok {
			first = append(first, key)
		}
	}
	for key := range detail {
		if !slices.Contains(detailOrder, key) && !slices.Contains(unprinted, key) {
			rest = append(rest, key)
		}
	}
	slices.Sort(rest)
	return append(first, rest...)
}

func inline(value any) string {
	switch v := value.(type) {
	case string:
		return clean(v)
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = inline(v[i])
		}
		return strings.Join(parts, ", ")
	}
	data, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return clean(string(data))
}

// fieldLines writes one sentence for each invalid field. What was sent is not
// repeated: it may be a password.
func fieldLines(items []any) string {
	var b strings.Builder
	for _, item := range items {
		field, ok := item.(map[string]any)
		if !ok {
			b.WriteString("\n  " + sentence(inline(item)))
			continue
		}
		message, _ := field["msg"].(string)
		if message == "" {
			message, _ = field["message"].(string)
		}
		message = sentence(strings.TrimPrefix(clean(message), "Value error, "))
		if where := location(field); where != "" {
			message = where + ": " + message
		}
		b.WriteString("\n  " + message)
	}
	return b.String()
}

func location(field map[string]any) string {
	if s, ok := field["location"].(string); ok {
		return clean(strings.TrimPrefix(s, "body."))
	}
	var parts []string
	for i, part := range asList(field["loc"]) {
		text := inline(part)
		if i == 0 && (text == "body" || text == "query" || text == "path" || text == "header") {
			continue
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ".")
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return "Not accepted."
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

func wrap(text string, width int) string {
	var b strings.Builder
	line := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case line == 0:
		case line+1+n > width:
			b.WriteByte('\n')
			line = 0
		default:
			b.WriteByte(' ')
			line++
		}
		b.WriteString(word)
		line += n
	}
	return b.String()
}
