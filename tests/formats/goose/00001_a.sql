-- +goose Up
CREATE TABLE a ();
-- +goose StatementBegin
DO $$BEGIN NULL; END$$;
-- +goose StatementEnd
SELECT 1;
-- +goose Down
DROP TABLE a;
