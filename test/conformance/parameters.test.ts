// Every definition against the facts: what is required, what defaults, what is too much, what never changes, what clears.
import { expect, it } from 'vitest';
import { parameterName, propertyName, resources, views } from '../../src/resources/index.ts';
import { startApi } from '../support/api-server.ts';
import { DEFAULTS, LIMITS, REQUIRED, REQUIRED_ON_UPDATE } from './facts.ts';
import { type Ask, type Json, type Made, oneOfEach, post } from './one-of-each.ts';

const changeable = [...resources, ...views].filter(({ operations }) => operations.includes('update'));

/** Enough of a form for an update to be accepted. */
const updateForm = (name: string, { form }: Made): Record<string, string> =>
  Object.fromEntries((REQUIRED_ON_UPDATE[name] ?? []).map((parameter) => [parameter, form[parameter] ?? '']));

const answerOf = async (response: Response): Promise<Json & { status: unknown }> => ({
  ...((await response.json()) as Json),
  status: response.status,
});

async function world(): Promise<{ ask: Ask; made: Readonly<Record<string, Made>> }> {
  const { ask } = await startApi();
  return { ask, made: await oneOfEach(ask) };
}

it('asks for what is required, and for nothing else', async () => {
  const { ask, made } = await world();
  for (const [name, { collection, form }] of Object.entries(made)) {
    if (['Call', 'OutgoingCallerId', 'AuditEvent'].includes(name)) continue;
    const { parameters = [], code } = REQUIRED[name] ?? {};
    expect([name, Object.keys(form).toSorted()]).toEqual([name, parameters.toSorted()]);
    for (const missing of parameters) {
      const { [missing]: _, ...rest } = form;
      const answer = await answerOf(await post(ask, collection, rest));
      expect([name, answer.status, answer.code, answer.message]).toEqual([
        name,
        400,
        code,
        `Missing required parameter ${missing} in the post body`,
      ]);
    }
  }
  for (const [name, parameters] of Object.entries(REQUIRED_ON_UPDATE)) {
    const answer = await answerOf(await post(ask, made[name]?.instance ?? ''));
    expect([name, answer.message]).toEqual([
      name,
      `Missing required parameter ${parameters[0]} in the post body`,
    ]);
  }
});

it('has defaults', async () => {
  const { made } = await world();
  for (const [name, defaults] of Object.entries(DEFAULTS)) {
    expect([name, made[name]?.json]).toMatchObject([name, defaults]);
  }
});

it('goes as far as the limits and no further', async () => {
  const { ask, made } = await world();
  for (const [name, limits] of Object.entries(LIMITS)) {
    const { instance = '' } = made[name] ?? {};
    const update = async (parameter: string, value: string) => {
      const { status, message = '' } = await answerOf(await post(ask, instance, { [parameter]: value }));
      if (status === 400) expect(message).toMatch(`Invalid Parameter: ${parameter} `);
      return status;
    };
    for (const [parameter, limit] of Object.entries(limits)) {
      const [within, beyond] =
        typeof limit === 'number'
          ? [['ü'.repeat(limit)], ['x'.repeat(limit + 1)]]
          : [limit.map(String), [limit[0] - 1, limit[1] + 1, '', 'x', '1.5'].map(String)];
      for (const value of within) {
        expect([name, parameter, value, await update(parameter, value)]).toEqual([
          name,
          parameter,
          value,
          200,
        ]);
      }
      for (const value of beyond) {
        expect([name, parameter, value, await update(parameter, value)]).toEqual([
          name,
          parameter,
          value,
          400,
        ]);
      }
    }
  }
});

it('never changes what is fixed, nor what is no parameter', async () => {
  const { ask, made } = await world();
  for (const definition of changeable) {
    const row = made[definition.name];
    if (!row) throw new Error(`There is no ${definition.name}`);
    const unchangeable = Object.entries(definition.fields).filter(
      ([, field]) => !field.isParameterOf('update'),
    );
    const form = Object.fromEntries([
      ...unchangeable.map(([name]) => [parameterName(name), 'changed']),
      ['Sid', 'changed'],
      ['AccountSid', 'changed'],
      ['DateCreated', 'changed'],
      ['Url', 'changed'],
    ]);
    const { date_updated: _, ...before } = (await (await ask(row.instance)).json()) as Json;
    const answer = await post(ask, row.instance, { ...form, ...updateForm(definition.name, row) });
    expect([definition.name, answer.status]).toEqual([definition.name, 200]);
    expect(await answer.json()).toMatchObject(before);
  }
});

it('clears what may be empty, and refuses to clear what may not', async () => {
  const { ask, made } = await world();
  for (const definition of changeable) {
    const row = made[definition.name];
    if (!row) throw new Error(`There is no ${definition.name}`);
    for (const [name, field] of Object.entries(definition.fields)) {
      if (!field.isParameterOf('update') || name === 'prefix') continue;
      const parameter = parameterName(name);
      const answer = await post(ask, row.instance, { ...updateForm(definition.name, row), [parameter]: '' });
      const cleared = field.nullable ? 200 : 400;
      expect([definition.name, parameter, answer.status]).toEqual([definition.name, parameter, cleared]);
      const json = (await answer.json()) as Json;
      if (cleared === 200) expect(json[propertyName(name)] || null).toBeNull();
    }
  }
});
