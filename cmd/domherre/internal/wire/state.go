package wire

import (
	"context"
	"errors"
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

// openStateToRead is openState for who changes nothing: a folder that can't be
// written will do, unless it holds nothing.
func openStateToRead(ctx context.Context, cfg *config.Config, log *slog.Logger) (state.Store, error) {
	store, err := OpenStateDegraded(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	why := store.Probe(ctx)
	if why == nil {
		return store, nil
	}
	if folder := (*state.NotWritableError)(nil); errors.As(why, &folder) {
		if keys, err := store.List(ctx, "", false); err == nil && len(keys) > 0 {
			return store, nil
		}
	}
	return nil, errors.Join(why, store.Close())
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
