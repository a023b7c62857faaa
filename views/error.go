package views

// ErrorView says what went wrong, to whom it happened.
type ErrorView struct {
	Status    int
	Title     string // "This page does not exist."
	Message   string // what it means
	NextStep  string // what to do; may be empty
	Code      string // machine code; may be empty
	RequestID string
	BackURL   string // "" offers the catalog
	BackLabel string
}

func (v ErrorView) backLabel() string {
	if v.BackLabel == "" {
		return "Back"
	}
	return v.BackLabel
}
