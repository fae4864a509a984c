-- concurrently
CREATE /* a */ UNIQUE INDEX
  CONCURRENTLY i ON a (b);
