package handlers

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"

	"agnes/domain"
	"agnes/handlers/request"
	"agnes/static"
)

// identify gives the request its id: the client's own when it is harmless.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := harmless(r.Header.Get("X-Request-ID"))
		if id == "" {
			var raw [6]byte
			rand.Read(raw[:]) // never fails, says crypto/rand
			id = hex.EncodeToString(raw[:])
		}
		w.Header().Set("X-Request-Id", id)
		ctx := request.WithID(r.Context(), id)
		ctx = request.WithLogger(ctx, s.Log.With("request_id", id))
		ctx = request.WithGuard(ctx, s.Guard)
		ctx = request.WithUserAgent(ctx, r.UserAgent())
		r = r.WithContext(ctx)
		next.ServeHTTP(w, r.WithContext(request.WithClient(ctx, request.Client(r))))
	})
}

// harmless keeps what contract 0.1 allows of a request id.
func harmless(id string) string {
	kept := strings.Map(func(c rune) rune {
		if c == '_' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') {
			return c
		}
		return -1
	}, id)
	return kept[:min(len(kept), 64)]
}

// record writes one line a request and counts it. Neither holds what people
// typed: the route's pattern stands for the address.
func (s *Server) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Now()
		ctx := r.Context()
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		seen := &request.Seen{}
		done := s.metrics.begin()
		defer func() {
			status := ww.Status()
			if status == 0 {
				status = http.StatusOK
			}
			route := pattern(r)
			took := s.Now().Sub(began)
			done(r.Method, route, status, took)
			request.Logger(ctx).InfoContext(ctx, "request",
				"method", r.Method, "route", route, "status", status,
				"bytes", ww.BytesWritten(), "dur_ms", took.Milliseconds(), "user_id", seen.UserID)
		}()
		next.ServeHTTP(ww, r.WithContext(request.WithSeen(ctx, seen)))
	})
}

func pattern(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil && c.RoutePattern() != "" {
		return c.RoutePattern()
	}
	return "none"
}

// recover turns a panic into one 500 that says nothing of it.
func (s *Server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			if reason == http.ErrAbortHandler { //nolint:errorlint // the value that net/http compares with
				panic(reason)
			}
			s.Guard.Note(request.Logger(ctx), "a request", reason)
			if ww.Status() != 0 { // half an answer is out: cut it, so that nobody takes it for a whole one
				panic(http.ErrAbortHandler)
			}
			s.failAs(ww, r, http.StatusInternalServerError, domain.E(domain.Internal, "internal", "Internal server error"))
		}()
		next.ServeHTTP(ww, r)
	})
}

// apiCSP is the policy of answers that are not pages.
const apiCSP = "default-src 'none'; frame-ancestors 'none'"

// secure sets the headers that hold for every answer. A handler that needs
// another one sets it before it writes.
func (s *Server) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", static.CSP)
		if request.ForMachines(r.URL.Path) && !request.WantsHTML(r) {
			h.Set("Content-Security-Policy", apiCSP)
		}
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("X-Agnes-Latest-Version", s.Version)
			h.Set("X-Agnes-Min-Version", "0.0.0")
		}
		next.ServeHTTP(w, r)
	})
}

// compress squeezes bodies, except where contract 0.1 says not to and where an
// answer must leave as it is written.
func compress() (func(http.Handler) http.Handler, error) {
	squeeze, err := gzhttp.NewWrapper(gzhttp.MinSize(1024))
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		squeezed := squeeze(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asIs(r) {
				next.ServeHTTP(w, r)
				return
			}
			squeezed.ServeHTTP(w, r)
		})
	}, nil
}

func asIs(r *http.Request) bool {
	for _, prefix := range []string{"/api/data/", "/cli/wheel/", "/cli/download", "/marketplace.git", static.Prefix} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return true
		}
	}
	return strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// cors lets pages of other sites call, as configured.
func (s *Server) cors() func(http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginFunc:  s.mayCall,
		AllowCredentials: true,
		AllowedMethods:   []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders:   []string{"*"},
		ExposedHeaders:   []string{"ETag", "X-Request-Id", "X-Agnes-Latest-Version", "X-Agnes-Min-Version", "Location", "Retry-After", "X-Query-Run", "X-Query-Truncated", "X-Csv-Guard", "Upload-Offset", "Upload-Length", "Tus-Resumable"},
	}).Handler
}
