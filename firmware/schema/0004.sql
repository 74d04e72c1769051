-- What was offered when the fact happened; empty where no product is named: then it covers every product.
ALTER TABLE fact ADD COLUMN product TEXT NOT NULL DEFAULT '';
