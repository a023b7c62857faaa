package handlers

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics counts requests by route, which is a pattern and never an address.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics(registry *prometheus.Registry, gauges []Gauge) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "agnes_http_requests_total", Help: "Requests answered, by route and class of status.",
		}, []string{"method", "route", "class"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "agnes_http_request_seconds", Help: "Time to answer a request, by route.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30},
		}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "agnes_http_requests_in_flight", Help: "Requests being answered now.",
		}),
	}
	all := []prometheus.Collector{m.requests, m.seconds, m.inFlight}
	for _, g := range gauges {
		all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.Name, Help: g.Help}, g.Read))
	}
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register a metric: %w", err)
		}
	}
	return m, nil
}

// begin counts a request in; the function it returns counts it out.
func (m *metrics) begin() func(method, route string, status int, took time.Duration) {
	m.inFlight.Inc()
	return func(method, route string, status int, took time.Duration) {
		m.inFlight.Dec()
		method = known(method)
		m.requests.WithLabelValues(method, route, strconv.Itoa(status/100)+"xx").Inc()
		m.seconds.WithLabelValues(method, route).Observe(took.Seconds())
	}
}

// known keeps invented methods from making series of their own.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// MetricsHandler answers /metrics. It asks nobody to sign in, so it belongs on
// a listener of its own.
func (s *Server) MetricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{}))
	return mux
}
