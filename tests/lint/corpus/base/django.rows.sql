INSERT INTO auth_user (password, username, email, is_active, date_joined)
  SELECT 'x', 'user' || n, 'u@example.org', true, now() FROM generate_series(1, 2000) n;
INSERT INTO blog_post (title, slug, body, views, author_id)
  SELECT 't', 's' || n, 'b', 0, n FROM generate_series(1, 2000) n;
INSERT INTO blog_comment (text, post_id, state) SELECT 'c', n, 'ok' FROM generate_series(1, 2000) n;
-- client: INSERT INTO blog_post (title, slug, body, views, author_id) VALUES ('t', 's', 'b', 0, 1)
-- client: INSERT INTO blog_comment (text, post_id) VALUES ('t', 1)
