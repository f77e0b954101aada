import type { ColumnRole } from './dialect.ts';

/** Spellings of the header of each role, best first, compared without case, accents and punctuation. */
const NAMES: Record<ColumnRole, string> = {
  date: 'date day tradedate tradingdate tradingday pricedate asofdate timestamp datetime ts tsutc tsnewyork dt datum handelstag tag fecha data dato jour',
  time: 'time uhrzeit zeit hora heure ora',
  period: 'per period interval',
  symbol:
    'symbol ticker tickersymbol tic sym ric code instrument instrumentid secid security asset stock kurzel symbole simbolo isin permno name',
  open: 'open openprice priceopen opening pxopen openraw o eroffnung eroffnungskurs erster ouverture apertura abertura',
  high: 'high highprice pricehigh pxhigh highraw max maximum h hoch tageshoch hochstkurs haut plushaut maximo massimo alto',
  low: 'low lowprice pricelow pxlow lowraw min minimum l tief tagestief tiefstkurs bas plusbas minimo bajo basso',
  close:
    'close closeprice priceclose closingprice closing closelast pxclose pxlast closeraw last lastprice c price settle settlement schluss schlusskurs kurs cloture dernier cierre ultimo chiusura fechamento',
  adjClose:
    'adjclose adjustedclose closeadj closeadjusted adjcloseprice adjustedcloseprice adjclosingprice adjustedclosing adjustedclosingprice adjprice pxadj totalreturnclose bereinigt bereinigterschluss bereinigterschlusskurs schlussbereinigt clotureajustee cierreajustado',
  volume:
    'volume vol v tradedvolume tradevolume sharevolume totalvolume sharestraded shares quantity qty volumen umsatz stuck volumes volumeneg volumenes',
  currency: 'currency ccy cur currencycode wahrung devise moneda valuta moeda',
};

const ROLES = Object.keys(NAMES).filter((name): name is ColumnRole => name in NAMES);
/** Rank of a spelling: the role, and how good a name for it this is (0 is best). */
const BY_NAME = new Map(
  ROLES.flatMap((role) => NAMES[role].split(' ').map((name, rank) => [name, { role, rank }] as const)),
);

/** A header name as it is compared: `<Adj. Close>` is `adjclose`. */
export function plainName(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** The role a header name stands for, or null. */
export function findRole(name: string): { role: ColumnRole; rank: number } | null {
  return BY_NAME.get(plainName(name)) ?? null;
}
