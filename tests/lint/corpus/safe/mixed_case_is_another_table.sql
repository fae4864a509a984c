-- truth: safe: "Orders" is new; orders is not touched
-- base: shop

CREATE TABLE "Orders" ("Id" bigint PRIMARY KEY, "Amount" integer);
CREATE INDEX "IX_Orders_Amount" ON "Orders" ("Amount");
