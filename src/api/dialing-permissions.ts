// Which countries the account may call: one page for each country that has numbers, and what the account changed of it.
import { type CountryCode, getCountries, getCountryCallingCode } from 'libphonenumber-js/max';
import {
  type AnyRow,
  boolean,
  dialingPermissionsCountry,
  dialingPermissionsSettings,
  type Form,
  parseParameters,
  type Values,
} from '../resources/index.ts';
import { continentOf } from './continents.ts';
import { type CrudDeps, createRow, updateRow } from './crud.ts';
import { ApiError, errors, parameterError } from './errors.ts';
import { cursorOf, parsePage, renderPage } from './page.ts';
import type { Answer, ApiRequest, JsonObject, Route } from './route.ts';

const ROOT = '/v1/DialingPermissions';
const SETTINGS = '/v1/Settings';

const PERMISSIONS = {
  LowRiskNumbersEnabled: 'lowRiskNumbersEnabled',
  HighRiskSpecialNumbersEnabled: 'highRiskSpecialNumbersEnabled',
  HighRiskTollfraudNumbersEnabled: 'highRiskTollfraudNumbersEnabled',
} as const;

type Permission = (typeof PERMISSIONS)[keyof typeof PERMISSIONS];
type Permissions = Readonly<Record<Permission, boolean>>;

const ALL_ALLOWED: Permissions = {
  lowRiskNumbersEnabled: true,
  highRiskSpecialNumbersEnabled: true,
  highRiskTollfraudNumbersEnabled: true,
};

let english: Intl.DisplayNames | undefined;
let sorted: readonly CountryCode[] | undefined;

/** In the order of their English names, as lists show them. Worked out when first asked for: names take memory. */
const countries = (): readonly CountryCode[] =>
  (sorted ??= getCountries().toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)));

export const dialingPermissionRoutes = (deps: CrudDeps): readonly Route[] => [
  { method: 'GET', path: `${ROOT}/Countries`, answer: (request) => listCountries(deps, request) },
  { method: 'GET', path: `${ROOT}/Countries/:IsoCode`, answer: (request) => fetchCountry(deps, request) },
  {
    method: 'GET',
    path: `${ROOT}/Countries/:IsoCode/HighRiskSpecialPrefixes`,
    answer: async (request) => listPrefixes(request),
  },
  { method: 'POST', path: `${ROOT}/BulkCountryUpdates`, answer: (request) => updateCountries(deps, request) },
  {
    method: 'GET',
    path: SETTINGS,
    answer: async (request) => ({ status: 200, body: settings(deps, request) }),
  },
  { method: 'POST', path: SETTINGS, answer: (request) => updateSettings(deps, request) },
];

async function listCountries(deps: CrudDeps, request: ApiRequest): Promise<Answer> {
  const matches = countryFilter(request.query);
  const found = countries()
    .map((code) => countryJson(deps, request, code))
    .filter(matches);
  const { pageSize, token } = parsePage(request.query);
  const start = startOf(token, pageSize, found.length);
  const rows = found.slice(start, start + pageSize);
  const page = {
    rows,
    ...(start + pageSize < found.length && { next: String(start + pageSize) }),
    ...(start > 0 && { previous: String(start) }),
  };
  return { status: 200, body: renderPage({ ...request, definition: dialingPermissionsCountry }, page, rows) };
}

/** Cursors are places in the list, which never changes. */
function startOf(token: string | undefined, pageSize: number, count: number): number {
  const { after, before } = cursorOf(token);
  const place = after ?? before ?? '0';
  if (!/^\d{1,4}$/.test(place) || Number(place) > count) throw errors.badPageToken();
  return before === undefined ? Number(place) : Math.max(0, Number(place) - pageSize);
}

function countryFilter(query: Form): (country: JsonObject) => boolean {
  const given = (name: string) => query.get(name)?.[0] || undefined;
  const [isoCode, continent, countryCode] = ['IsoCode', 'Continent', 'CountryCode'].map(given);
  const code = countryCode?.startsWith('+') ? countryCode : `+${countryCode}`;
  return (country) =>
    (isoCode === undefined || country.iso_code === isoCode) &&
    (continent === undefined || country.continent === continent) &&
    (countryCode === undefined || (country.country_codes as readonly string[]).includes(code)) &&
    Object.keys(PERMISSIONS).every((name) => {
      const wanted = given(name);
      const property = name.replaceAll(/(?<!^)[A-Z]/g, '_$&').toLowerCase();
      return wanted === undefined || String(country[property]) === wanted.toLowerCase();
    });
}

async function fetchCountry(deps: CrudDeps, request: ApiRequest): Promise<Answer> {
  return { status: 200, body: countryJson(deps, request, countryOf(request)) };
}

/** None is known: which numbers are a risk is for the operator's carriers to say. */
function listPrefixes(request: ApiRequest): Answer {
  countryOf(request);
  return {
    status: 200,
    body: renderPage({ ...request, definition: dialingPermissionsCountry }, { rows: [] }, []),
  };
}

function countryOf({ params, path }: ApiRequest): CountryCode {
  const code = countries().find((each) => each === params.IsoCode);
  if (code === undefined) throw errors.notFound(path.replace(/^\/v1/, ''));
  return code;
}

function countryJson(deps: CrudDeps, { account, baseUrl }: ApiRequest, code: CountryCode): JsonObject {
  const { lowRiskNumbersEnabled, highRiskSpecialNumbersEnabled, highRiskTollfraudNumbersEnabled } =
    countryRow(deps, account.sid, code) ?? ALL_ALLOWED;
  const url = `${baseUrl}${ROOT}/Countries/${code}`;
  return {
    iso_code: code,
    name: nameOf(code),
    continent: continentOf(code) ?? null,
    country_codes: [`+${getCountryCallingCode(code)}`],
    low_risk_numbers_enabled: lowRiskNumbersEnabled,
    high_risk_special_numbers_enabled: highRiskSpecialNumbersEnabled,
    high_risk_tollfraud_numbers_enabled: highRiskTollfraudNumbersEnabled,
    url,
    links: { highrisk_special_prefixes: `${url}/HighRiskSpecialPrefixes` },
  };
}

const countryRow = ({ store }: CrudDeps, accountSid: string, isoCode: string) =>
  store.directory.findBy(dialingPermissionsCountry, { accountSid, isoCode })[0];

function nameOf(code: CountryCode): string {
  english ??= new Intl.DisplayNames('en', { type: 'region' });
  return english.of(code) ?? code;
}

async function updateCountries(deps: CrudDeps, request: ApiRequest): Promise<Answer> {
  const text = request.form.get('UpdateRequest')?.[0];
  if (!text) throw errors.missing('UpdateRequest');
  const updates = parseUpdates(text);
  if (!updates) {
    throw errors.invalid('UpdateRequest', 'must be a JSON array of objects with iso_code and permissions');
  }
  for (const { isoCode, values } of updates) {
    const definition = dialingPermissionsCountry;
    const current = () => countryRow(deps, request.account.sid, isoCode) as AnyRow | undefined;
    await put(deps, request, {
      definition,
      current,
      values: { ...ALL_ALLOWED, isoCode, ...values },
      changes: values,
    });
  }
  return { status: 201, body: { update_count: updates.length, update_request: text } };
}

interface CountryUpdate {
  readonly isoCode: string;
  readonly values: Partial<Permissions>;
}

function parseUpdates(text: string): readonly CountryUpdate[] | undefined {
  const given = parseJson(text);
  if (!Array.isArray(given)) return undefined;
  const updates = given.map(parseUpdate);
  return updates.every((update) => update !== undefined) ? updates : undefined;
}

function parseUpdate(given: unknown): CountryUpdate | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const {
    iso_code: isoCode,
    low_risk_numbers_enabled: lowRiskNumbersEnabled,
    high_risk_special_numbers_enabled: highRiskSpecialNumbersEnabled,
    high_risk_tollfraud_numbers_enabled: highRiskTollfraudNumbersEnabled,
  } = given as Record<string, unknown>;
  const flags = { lowRiskNumbersEnabled, highRiskSpecialNumbersEnabled, highRiskTollfraudNumbersEnabled };
  const values: Partial<Record<Permission, boolean>> = {};
  for (const [name, flag] of Object.entries(flags)) {
    if (flag === undefined) continue;
    const parsed = boolean().parse(String(flag));
    if ('reason' in parsed || parsed.value === null) return undefined;
    values[name as Permission] = parsed.value;
  }
  const known = countries().find((code) => code === isoCode);
  return known && { isoCode: known, values };
}

interface Put {
  readonly definition: typeof dialingPermissionsCountry | typeof dialingPermissionsSettings;
  readonly current: () => AnyRow | undefined;
  /** All of them for a row that is not there yet. */
  readonly values: Values;
  readonly changes?: Values;
}

/** The one row of its kind is changed, or created; when another request has just created it, it is changed after all. */
async function put(
  deps: CrudDeps,
  request: ApiRequest,
  { definition, current, ...given }: Put,
): Promise<void> {
  const change = async (row: AnyRow) => {
    await updateRow(deps, definition, { request, current: row, values: given.changes ?? given.values });
  };
  const known = current();
  if (known) return change(known);
  try {
    await createRow(deps, definition, { request, values: given.values });
  } catch (error) {
    const created = current();
    if (!(error instanceof ApiError) || !created) throw error;
    await change(created);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function settings({ store }: CrudDeps, { account, baseUrl }: ApiRequest): JsonObject {
  const [row] = store.directory.findBy(dialingPermissionsSettings, { accountSid: account.sid });
  return {
    dialing_permissions_inheritance: row?.dialingPermissionsInheritance ?? true,
    url: baseUrl + SETTINGS,
  };
}

async function updateSettings(deps: CrudDeps, request: ApiRequest): Promise<Answer> {
  const { values, errors: faults } = parseParameters(dialingPermissionsSettings, request.form, 'update');
  const error = parameterError(faults);
  if (error) throw error;
  const definition = dialingPermissionsSettings;
  const accountSid = request.account.sid;
  const current = () => deps.store.directory.findBy(definition, { accountSid })[0] as AnyRow | undefined;
  if (Object.keys(values).length > 0) await put(deps, request, { definition, current, values });
  return { status: 202, body: settings(deps, request) };
}
