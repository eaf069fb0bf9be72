-- +goose Up

-- When a request whose answer is missing may be sent again: whoever may have
-- the answer comes first. NULL: nobody has found it missing yet.
ALTER TABLE app_grant ADD COLUMN resend_at BIGINT;
