package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/joho/godotenv"
	"github.com/spf13/cobra"

	"agnes/domain/config"
	"agnes/domain/settings"
	"agnes/store"
)

// addSettingFlags gives a command one flag for each setting that has one.
func addSettingFlags(cmd *cobra.Command) {
	for _, s := range config.Settings() {
		if s.Flag != "" {
			about := strings.ReplaceAll(s.About, "`", "") // the flag parser would take it for the value's name
			cmd.PersistentFlags().String(s.Flag, "", about+" (default "+s.Default+")")
		}
	}
}

// inputs are where the configuration comes from: fixed at the start, read anew
// whenever settings change.
type inputs struct {
	flags       map[string]string
	development map[string]string // of .env
	dirs        config.Dirs
}

// findInputs finds the files that belong to a command's flags and environment.
func findInputs(cmd *cobra.Command) (*inputs, error) {
	in := &inputs{flags: map[string]string{}}
	for _, s := range config.Settings() {
		if s.Flag == "" {
			continue
		}
		if f := cmd.Flag(s.Flag); f != nil && f.Changed {
			in.flags[s.Flag] = f.Value.String()
		}
	}
	var err error
	if in.development, err = readEnvFile(".env"); err != nil {
		return nil, err
	}
	in.dirs = config.Places(environment(in.development), in.flags)
	return in, nil
}

// Input reads everything that a start would read now; the overlay comes last.
func (in *inputs) Input() (config.Input, error) {
	overlay, err := readEnvFile(in.dirs.EnvOverlayFile())
	if err != nil {
		return config.Input{}, err
	}
	out := config.Input{Getenv: environment(in.development, overlay), Flags: in.flags, Machine: thisMachine()}
	for _, name := range []string{in.dirs.BaseFile(), in.dirs.OverlayFile()} {
		data, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return config.Input{}, fmt.Errorf("read configuration: %w", err)
		}
		out.YAML = append(out.YAML, config.File{Name: shortName(name), Data: data})
	}
	return out, nil
}

// Stage writes the next text of the overlay beside it.
func (in *inputs) Stage(text []byte) (settings.Staged, error) {
	return store.Overlay{Path: in.dirs.OverlayFile()}.Stage(text)
}

// load makes the configuration of flags, environment and files. Warnings are
// returned for the log; all mistakes come as one error.
func (in *inputs) load() (config.Config, []config.Warning, error) {
	input, err := in.Input()
	if err != nil {
		return config.Config{}, nil, err
	}
	return config.Load(input)
}

// readConfig makes the configuration of a command.
func readConfig(cmd *cobra.Command) (config.Config, []config.Warning, error) {
	in, err := findInputs(cmd)
	if err != nil {
		return config.Config{}, nil, err
	}
	return in.load()
}

// readEnvFile reads KEY=VALUE lines; a file that is absent has none.
func readEnvFile(name string) (map[string]string, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no file is no lines
	}
	if err != nil {
		return nil, fmt.Errorf("read variables: %w", err)
	}
	lines, err := godotenv.Parse(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read variables of %s: %w", filepath.Base(name), err)
	}
	return lines, nil
}

// environment looks a variable up in the process first, then in the files. An
// empty variable counts as not set.
func environment(files ...map[string]string) func(string) (string, bool) {
	return func(key string) (string, bool) {
		if v := os.Getenv(key); v != "" {
			return v, true
		}
		for _, f := range files {
			if v, ok := f[key]; ok {
				return v, true
			}
		}
		return "", false
	}
}

func shortName(path string) string {
	return filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path)))
}

// thisMachine reads what defaults depend on: processors, and the memory that
// the machine or its control group allows.
func thisMachine() config.Machine {
	return config.Machine{CPUs: runtime.GOMAXPROCS(0), MemoryBytes: memoryLimit()}
}

// memoryLimit is the least of the machine's memory and of the limits of the
// control groups that this process is in, of either version.
func memoryLimit() int64 {
	limit := meminfo()
	for _, file := range memoryLimitFiles("/proc/self/cgroup", "/sys/fs/cgroup") {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil && n > 0 && (limit == 0 || n < limit) {
			limit = n
		}
	}
	return limit
}

// memoryLimitFiles are where a process's control groups and those around them
// keep their limits. A container may see its own group as the root.
func memoryLimitFiles(membership, root string) []string {
	v2, v1 := filepath.Join(root, "memory.max"), filepath.Join(root, "memory", "memory.limit_in_bytes")
	files := []string{v2, v1}
	data, err := os.ReadFile(membership)
	if err != nil {
		return files
	}
	for line := range strings.Lines(string(data)) { // number:controllers:group
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		for group := parts[2]; len(group) > 1; group = filepath.Dir(group) {
			if parts[0] == "0" {
				files = append(files, filepath.Join(root, group, "memory.max"))
			} else if slices.Contains(strings.Split(parts[1], ","), "memory") {
				files = append(files, filepath.Join(root, "memory", group, "memory.limit_in_bytes"))
			}
		}
	}
	return files
}

func meminfo() int64 {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "MemTotal:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// version is what this source calls itself; a release sets AGNES_VERSION.
const version = "0.1.0"

// buildOf fills in what the binary knows of itself where nothing was set.
func buildOf(b config.Build) config.Build {
	if b.Version == "" {
		b.Version = version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && b.Commit == "" {
			b.Commit = s.Value
		}
	}
	return b
}

func newConfigCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "config", Short: "Print the effective configuration with origins", GroupID: "server", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, warnings, err := readConfig(cmd)
			for _, w := range warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
			}
			if err != nil {
				return err
			}
			return printConfig(cmd, cfg, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printConfig(cmd *cobra.Command, cfg config.Config, asJSON bool) error {
	if asJSON {
		type line struct {
			Key    string `json:"key"`
			Value  string `json:"value"`
			Origin string `json:"origin"`
		}
		lines := []line{}
		for _, e := range cfg.Effective() {
			lines = append(lines, line{e.Name(), e.Value, e.Origin})
		}
		out := json.NewEncoder(cmd.OutOrStdout())
		out.SetIndent("", "  ")
		return out.Encode(lines)
	}
	out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "KEY\tVALUE\tORIGIN")
	for _, e := range cfg.Effective() {
		fmt.Fprintf(out, "%s\t%s\t%s\n", e.Name(), e.Value, e.Origin)
	}
	return out.Flush()
}
