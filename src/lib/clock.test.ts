import { createSocket } from 'node:dgram';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from './clock.ts';

it('rings late timers after what has arrived meanwhile', async () => {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const heard: string[] = [];
  socket.on('message', () => heard.push('answer'));
  const rung = new Promise<void>((resolve) => {
    systemClock.after(20, () => {
      heard.push('timer');
      resolve();
    });
  });
  socket.send('answer', socket.address().port, '127.0.0.1');
  const until = performance.now() + 200;
  while (performance.now() < until);
  await rung;
  expect(heard).toEqual(['answer', 'timer']);
});

it('rings no timer that was cancelled, also where it was late', async () => {
  const heard: string[] = [];
  const late = systemClock.after(1, () => heard.push('late'));
  systemClock.cancel(systemClock.after(0, () => heard.push('cancelled')));
  const until = performance.now() + 100;
  while (performance.now() < until);
  // It runs before what a timer puts off from here on.
  setImmediate(() => systemClock.cancel(late));
  await new Promise((resolve) => systemClock.after(20, () => resolve(undefined)));
  expect(heard).toEqual([]);
  systemClock.cancel(undefined);
});
