package config

import "agnes/domain/profile"

// profilerSpecs bound what profiles count and say when a column deserves a look.
func profilerSpecs() []spec {
	whole64 := func(limit int64) func(string) (int64, error) {
		return func(text string) (int64, error) {
			n, err := whole(limit)(text)
			return int64(n), err
		}
	}
	percent := "a whole number from 1 to 100"
	p := func(c *Config) *profile.Settings { return &c.Profiler }
	return []spec{
		{
			Setting: Setting{Key: "profiler.sample_size", About: "Rows of a table beyond which quantiles, top values and histograms come from a sample of so many."},
			value:   "500000", form: "a whole number from 1 to 100000000",
			read: into(func(c *Config) *int64 { return &p(c).SampleSize }, whole64(100_000_000)),
		},
		{
			Setting: Setting{Key: "profiler.max_categorical_distinct", About: "Different values up to which a column counts as one of categories."},
			value:   "50", form: "a whole number from 1 to 1000000",
			read: into(func(c *Config) *int64 { return &p(c).MaxCategoricalDistinct }, whole64(1_000_000)),
		},
		{
			Setting: Setting{Key: "profiler.top_values_limit", About: "Most frequent values that a profile names."},
			value:   "10", form: "a whole number from 1 to 100",
			read: into(func(c *Config) *int { return &p(c).TopValues }, whole(100)),
		},
		{
			Setting: Setting{Key: "profiler.histogram_bins", About: "Bars of a histogram of numbers."},
			value:   "15", form: "a whole number from 1 to 100",
			read: into(func(c *Config) *int { return &p(c).HistogramBins }, whole(100)),
		},
		{
			Setting: Setting{Key: "profiler.sample_rows_limit", About: "Rows that a profile shows."},
			value:   "5", form: "a whole number from 1 to 100",
			read: into(func(c *Config) *int { return &p(c).SampleRows }, whole(100)),
		},
		{
			Setting: Setting{Key: "profiler.sample_values_limit", About: "Values of a column that a profile shows."},
			value:   "5", form: "a whole number from 1 to 100",
			read: into(func(c *Config) *int { return &p(c).SampleValues }, whole(100)),
		},
		{
			Setting: Setting{Key: "profiler.alert_high_missing_pct", About: "Missing values, in per cent, from which on a column lacks many."},
			value:   "30", form: percent,
			read: into(func(c *Config) *int { return &p(c).HighMissingPct }, whole(100)),
		},
		{
			Setting: Setting{Key: "profiler.alert_missing_pct", About: "Missing values, in per cent, from which on that is said at all."},
			value:   "5", form: percent,
			read: into(func(c *Config) *int { return &p(c).MissingPct }, whole(100)),
		},
		{
			Setting: Setting{Key: "profiler.alert_imbalance_pct", About: "Share of one value, in per cent, beyond which a column is unbalanced."},
			value:   "60", form: percent,
			read: into(func(c *Config) *int { return &p(c).ImbalancePct }, whole(100)),
		},
		{
			Setting: Setting{Key: "profiler.alert_high_cardinality", About: "Different texts beyond which a column has many."},
			value:   "50", form: "a whole number from 1 to 1000000000",
			read: into(func(c *Config) *int64 { return &p(c).HighCardinality }, whole64(1_000_000_000)),
		},
	}
}
