package store

import (
	"context"
	"database/sql"
	"errors"

	"selvedge/internal/fabric"
)

// ErrTooManyTags refuses tags that would make more than fabric.MaxTags.
var ErrTooManyTags = errors.New("store: too many tags")

// exists says whether the resource is there, and the caller's, under the
// parents that the ARN names. It answers ErrNotFound.
func exists(ctx context.Context, q querier, c fabric.Caller, a fabric.ARN) error {
	var err error
	switch a.Kind {
	case fabric.KindAppBundle:
		_, err = bundle(ctx, q, c, a.Bundle)
	case fabric.KindAppAuthorization:
		_, err = authorization(ctx, q, c, a.Bundle, a.Child)
	case fabric.KindIngestion:
		_, err = ingestion(ctx, q, c, a.Bundle, a.Child)
	case fabric.KindIngestionDestination:
		_, err = destination(ctx, q, c, a.Bundle, a.Child, a.Grandchild)
	default:
		err = ErrNotFound
	}
	return err
}

// Tag adds tags to a resource; a key that it has gets the new value. It answers
// ErrNotFound and ErrTooManyTags, and then changes nothing.
func (s *Store) Tag(ctx context.Context, c fabric.Caller, a fabric.ARN, tags []fabric.Tag) error {
	return s.change(ctx, c, "tag resource", func(tx *sql.Tx) error {
		if err := exists(ctx, tx, c, a); err != nil {
			return err
		}
		if err := putTags(ctx, tx, a.ResourceKey(), tags); err != nil {
			return err
		}
		n, err := count(ctx, tx, `SELECT count(*) FROM tag WHERE resource_id = ?`, a.ResourceKey())
		if err == nil && n > fabric.MaxTags {
			return ErrTooManyTags
		}
		return err
	})
}

// Untag removes tags from a resource; a key that it does not have is no error.
// It answers ErrNotFound.
func (s *Store) Untag(ctx context.Context, c fabric.Caller, a fabric.ARN, keys []string) error {
	return s.change(ctx, c, "untag resource", func(tx *sql.Tx) error {
		if err := exists(ctx, tx, c, a); err != nil {
			return err
		}
		for _, key := range keys {
			_, err := tx.ExecContext(ctx, `DELETE FROM tag WHERE resource_id = ? AND tag_key = ?`, a.ResourceKey(), key)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Tags reads the tags of a resource in the order of their keys. It answers
// ErrNotFound.
func (s *Store) Tags(ctx context.Context, c fabric.Caller, a fabric.ARN) ([]fabric.Tag, error) {
	if err := exists(ctx, s.reader, c, a); err != nil {
		return nil, wrap("list tags", err)
	}
	return list(ctx, s.reader, "list tags", func(row scanner) (fabric.Tag, error) {
		var t fabric.Tag
		err := row.Scan(&t.Key, &t.Value)
		return t, err
	}, `SELECT tag_key, tag_value FROM tag WHERE resource_id = ? ORDER BY tag_key`, a.ResourceKey())
}

func putTags(ctx context.Context, tx *sql.Tx, id string, tags []fabric.Tag) error {
	for _, t := range tags {
		_, err := tx.ExecContext(ctx, `INSERT INTO tag (resource_id, tag_key, tag_value) VALUES (?, ?, ?)
			ON CONFLICT (resource_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value`, id, t.Key, t.Value)
		if err != nil {
			return err
		}
	}
	return nil
}
