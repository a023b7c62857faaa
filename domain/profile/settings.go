package profile

// Settings are the profiler.* of the configuration.
type Settings struct {
	SampleSize             int64 `json:"sample_size"`              // rows beyond which a sample is taken
	MaxCategoricalDistinct int64 `json:"max_categorical_distinct"` // values up to which a column counts as one of categories
	TopValues              int   `json:"top_values"`
	HistogramBins          int   `json:"histogram_bins"`
	SampleRows             int   `json:"sample_rows"`
	SampleValues           int   `json:"sample_values"`
	HighMissingPct         int   `json:"high_missing_pct"`
	MissingPct             int   `json:"missing_pct"`
	ImbalancePct           int   `json:"imbalance_pct"`
	HighCardinality        int64 `json:"high_cardinality"` // values
}

// DefaultSettings are those of contract 6.1.
func DefaultSettings() Settings {
	return Settings{
		SampleSize: 500_000, MaxCategoricalDistinct: 50, TopValues: 10, HistogramBins: 15, SampleRows: 5, SampleValues: 5,
		HighMissingPct: 30, MissingPct: 5, ImbalancePct: 60, HighCardinality: 50,
	}
}
