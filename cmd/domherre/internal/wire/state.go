package wire

import (
	"context"
	"fmt"
	"log/slog"

	"domherre/config"
	"domherre/state"
)

// openState opens the state of a config for a command.
func openState(ctx context.Context, cfg *config.Config, log *slog.Logger) (state.Store, error) {
	keys, err := StateKeys(cfg)
	if err != nil {
		return nil, err
	}
	return state.Open(ctx, string(cfg.State), log, state.WithKeys(keys...))
}

// OpenStateDegraded opens the state of a config for who can do with reading.
func OpenStateDegraded(ctx context.Context, cfg *config.Config, log *slog.Logger) (state.Store, error) {
	keys, err := StateKeys(cfg)
	if err != nil {
		return nil, err
	}
	return state.OpenDegraded(ctx, string(cfg.State), log, state.WithKeys(keys...))
}

// OpenNodeState opens the state of a config for the daemon: degraded, if need
// be, and with a cache where it is a database.
func OpenNodeState(ctx context.Context, cfg *config.Config, log *slog.Logger) (state.Store, error) {
	keys, err := StateKeys(cfg)
	if err != nil {
		return nil, err
	}
	return state.OpenDegraded(ctx, string(cfg.State), log, state.WithKeys(keys...), state.WithCache(cfg.StateCache))
}

// StateKeys gives the keys of a config that encrypt the state.
func StateKeys(cfg *config.Config) ([]state.Key, error) {
	var keys []state.Key
	for _, secret := range cfg.StateKeys {
		k, err := state.NewKey(secret.Reveal())
		if err != nil {
			return nil, fmt.Errorf("state_key: %w", err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}
