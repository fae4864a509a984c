INSERT INTO "User" (id, email) SELECT 'u' || n, 'e' || n FROM generate_series(1, 2000) n;
INSERT INTO "Post" (title, "authorId") SELECT 't', 'u' || n FROM generate_series(1, 2000) n;
-- client: INSERT INTO "User" (id, email) VALUES ('new', 'new')
-- client: INSERT INTO "Post" (title, "authorId") VALUES ('new', 'u1')
