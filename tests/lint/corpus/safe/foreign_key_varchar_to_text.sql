-- truth: safe: types of one family compare
-- base: shop

-- history
CREATE TABLE memos (code text PRIMARY KEY);
-- migration
ALTER TABLE order_lines ADD CONSTRAINT order_lines_memo_fk
  FOREIGN KEY (memo) REFERENCES memos (code) NOT VALID;
