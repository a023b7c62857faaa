package main

import (
	"agnes/domain/files"
	"agnes/static"
)

// samples are the data sets that the binary carries, from vega-datasets. Rows
// and bytes are those of the files; a test counts them.
func samples() []files.Sample {
	return []files.Sample{
		{
			Name: "airports", Item: "sample-airports.csv", Rows: 3376, Bytes: 210365,
			Description: "Airports of the United States: code, name, city, state, position",
			Open:        func() ([]byte, error) { return static.Sample("airports.csv") },
		},
		{
			Name: "seattle_weather", Item: "sample-seattle_weather.csv", Rows: 1461, Bytes: 48219,
			Description: "Daily weather of Seattle, 2012 to 2015",
			Open:        func() ([]byte, error) { return static.Sample("seattle-weather.csv") },
		},
		{
			Name: "movies", Item: "sample-movies.json", Rows: 3201, Bytes: 1399981,
			Description: "Films with cost, returns and ratings, up to 2010",
			Open:        func() ([]byte, error) { return static.Sample("movies.json") },
		},
	}
}
