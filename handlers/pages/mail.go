package pages

import (
	"net/http"

	"agnes/domain"
	"agnes/handlers/request"
	"agnes/views"
)

// Mail is how mail is sent, without secrets.
type Mail struct {
	Kind string // "SMTP" or "SendGrid", "" for none
	From string
}

func (s *Server) mailPage(w http.ResponseWriter, r *http.Request) error {
	return s.showMail(w, r, http.StatusOK, views.MailView{})
}

func (s *Server) showMail(w http.ResponseWriter, r *http.Request, status int, v views.MailView) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	v.Kind, v.From, v.To, v.Now = s.current().Mail.Kind, s.current().Mail.From, p.Email, s.Now()
	if s.Links != nil {
		v.Base = s.Links.BaseURL()
		v.Outbox, v.Posted = s.Links.Outbox != nil && v.Kind == "", s.Links.Outbox.List()
	}
	return s.render(w, r, status, views.MailPage(s.chrome(r, "Mail", views.NavMail), v))
}

// mailTest sends a mail to the administrator who asks, and shows what the server says.
func (s *Server) mailTest(w http.ResponseWriter, r *http.Request) error {
	p, err := who(r)
	if err != nil {
		return err
	}
	if s.Links == nil {
		return domain.E(domain.Unavailable, "mail_not_set_up", "No mail server is set up, so nothing was sent.")
	}

	receipt, err := s.Links.Test(r.Context(), p.Actor())
	if kind := domain.KindOf(err); err != nil && (kind == domain.Unavailable || kind == domain.Invalid) {
		request.Logger(r.Context()).WarnContext(r.Context(), "test mail", "err", err)
		return s.showMail(w, r, request.Status(kind), views.MailView{Error: request.Known(err).Message})
	}
	if err != nil {
		return err
	}

	return s.showMail(w, r, http.StatusOK, views.MailView{Answer: receipt.Answer})
}
