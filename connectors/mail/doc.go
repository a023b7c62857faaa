// Package mail sends mail: by SMTP, or through the API of SendGrid. What a mail
// says is not its business. Its errors carry the server's own answer, without
// the server's name and without secrets.
package mail
