// What the scenario files call. Artillery loads JavaScript; the users themselves are TypeScript, whose types Node takes off.
import { makeCast } from './virtual-users/cast.ts';
import { offline, ordering, reconnect } from './virtual-users/exact.ts';
import { planOf, Stage } from './virtual-users/stage.ts';
import { visit } from './virtual-users/visit.ts';

/** Runs once, before the first arrival: users and channels are there when the clock starts. */
export async function prepare({ vars }) {
  vars.cast = await makeCast(vars.target, vars.users, planOf(vars));
}

let stage;
const part =
  (play) =>
  async ({ vars }, meter) => {
    stage ??= new Stage(vars, meter);
    await stage.play(play);
  };

export const visitChannels = part(visit);
export const sendAtOnce = part(ordering);
export const loseTheLine = part(reconnect);
export const goAway = part(offline);
