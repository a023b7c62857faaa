package views

// ReferenceView is the reference of the JSON API.
type ReferenceView struct {
	Title   string
	Version string
	Intro   []string // paragraphs
	SpecURL string   // the OpenAPI document
	Groups  []ReferenceGroup
}

// ReferenceGroup is the operations of one tag.
type ReferenceGroup struct {
	Name        string
	Description string
	Operations  []Operation
}

// Operation is one method on one path.
type Operation struct {
	ID          string // an anchor, unique on the page
	Method      string
	Path        string
	Summary     string
	Description string
	Need        string // who may call it: "anybody", "signed in", "administrators"
	Params      []Param
	Request     string // example body as JSON; "" without one
	Responses   []Response
}

// Param is one parameter, or one field of the body.
type Param struct {
	Name        string
	In          string // path, query, header or body
	Type        string
	Required    bool
	Description string
}

// Response is one answer.
type Response struct {
	Status      int
	Description string
	Example     string // JSON; "" without one
}

// kind says where a parameter goes and what it must be.
func (p Param) kind() string {
	words := p.In + ", " + p.Type
	if p.Required {
		words += ", required"
	}
	return words
}

// methodMark colours what changes things; reading stays quiet.
func methodMark(method string) string {
	switch method {
	case "GET", "HEAD":
		return ""
	case "DELETE":
		return "mark-red"
	}
	return "mark-blue"
}
