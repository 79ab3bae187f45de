// A hall of straight rows for measuring: sections of 25 rows of 40 seats beside each other, 20 a line.
export function bigHall(seats) {
  const sections = Array.from({ length: seats / 1_000 }, (_, k) => {
    const [x, y] = [(k % 20) * 440, Math.floor(k / 20) * 320];
    const rows = Array.from({ length: 25 }, (_, row) => ({ label: String(row + 1), seats: 40, category: k % 4, line: [x, y + 12 * row, 10, 0] }));
    return { name: `S${k + 1}`, rows, label_at: [x + 195, y + 140], outline: [x - 8, y - 8, x + 398, y - 8, x + 398, y + 296, x - 8, y + 296] };
  });
  const lines = Math.ceil(sections.length / 20);
  const categories = ['vip', 'premium', 'standard', 'economy'].map((price_tier, k) => ({ name: price_tier, price_tier, price_cents: 1_000 * (9 - k) }));
  return { name: 'Hall', bounds: [-20, -20, 20 * 440, lines * 320], focal: [4_400, 0], categories, sections };
}
