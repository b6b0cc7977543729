/** A question to the shop: what it shows off, the query, and its columns; those with a unit are numbers and stand to the right. */
export type Question = { title: string; sql: string; head: string[] };

export const QUESTIONS: Question[] = [
  {
    title: 'Revenue by month (exact decimals, from a partitioned table)',
    sql: `SELECT strftime(ordered_at, '%B'), count(*), sum(total), max(total)
      FROM orders WHERE status IN ('paid', 'shipped') GROUP BY ALL ORDER BY min(ordered_at)`,
    head: ['2025', 'orders #', 'revenue #', 'largest #'],
  },
  {
    title: 'What sells, by tag (a text[] of each product)',
    sql: `SELECT tag, arg_max(title, sold), count(*), sum(sold) FROM (
        SELECT unnest(tags) AS tag, title, sold FROM products
        JOIN (SELECT product_id, sum(quantity) AS sold FROM order_items GROUP BY product_id) ON product_id = id)
      GROUP BY tag ORDER BY sum(sold) DESC`,
    head: ['tag', 'best seller', 'products #', 'sold #'],
  },
  {
    title: 'Customers by country, and their own hour of the day when most is bought',
    sql: `SELECT country, count(DISTINCT customers.id), count(*), sum(total),
        mode(hour(ordered_at AT TIME ZONE time_zone)) || ':00'
      FROM customers JOIN orders ON customer_id = customers.id
      GROUP BY country ORDER BY sum(total) DESC LIMIT 5`,
    head: ['country', 'customers #', 'orders #', 'revenue #', 'busiest #'],
  },
  {
    title: 'Fragile goods that run out (json, read as it was)',
    sql: `SELECT title, warehouse, attributes->>'shelf', quantity FROM inventory JOIN products ON id = product_id
      WHERE attributes->'handling'->>0 = 'fragile' ORDER BY quantity, title, warehouse LIMIT 3`,
    head: ['product', 'warehouse', 'shelf', 'left #'],
  },
];
