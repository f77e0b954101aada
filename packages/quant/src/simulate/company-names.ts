/** Sectors of the simulated market; company i belongs to sector i mod 8. */
export const SECTORS = [
  'Energy',
  'Materials',
  'Industrials',
  'Consumer',
  'Health',
  'Finance',
  'Technology',
  'Utilities',
] as const;

// Invented words. None is the name of a company known to the author.
const STEMS = [
  'Aldrimo Brenvick Caldovar Dromelin Estravon Fenoquil Gavrinel Hestomar Ilvarque Jorvantis Kelmorix Lundravo',
  'Mervantic Norquelle Ostravine Peldrona Quavaris Rindoval Selvantor Tarquiline Umbrisol Valdremo Wexolin Xanvrimo',
  'Yorvale Zelmarin Arquendo Bovdrane Corvexil Delmorant Ervanisk Fostrilo Grenvalo Huldrivan Istramel Jandrovic',
  'Kostrivel Lorquane Mondravis Nelvorian Orvandrix Pryndovar Quistravel Rovandril Stulvarque Trovanel Uldramis Vornequil',
]
  .join(' ')
  .split(' ');

export type CompanyName = { symbol: string; name: string; sector: string };

/** Invented symbol, name and sector of company `index`; from the 49th on the stems come again with a number. */
export function companyName(index: number): CompanyName {
  const stem = STEMS[index % STEMS.length]!;
  const round = Math.floor(index / STEMS.length);
  const sector = SECTORS[index % SECTORS.length]!;
  const suffix = round === 0 ? '' : String(round + 1);
  return {
    symbol: stem.slice(0, 4).toUpperCase() + suffix,
    name: `${stem} ${sector}${suffix === '' ? '' : ` ${suffix}`}`,
    sector,
  };
}

/** What a renamed company is called afterwards. */
export function renamedCompany(index: number): { symbol: string; name: string } {
  const { symbol, name } = companyName(index);
  return { symbol: `${symbol.slice(0, 2)}NX${symbol.slice(4)}`, name: `${name} Nexal` };
}
