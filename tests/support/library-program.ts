/** A program written with the library, for tests that kill it or wait for its end. Run by Node from its source. */
import { acceptFlow, allocFlow, announce } from '../../runtime/lib/index.ts';

const [what, name = ''] = process.argv.slice(2);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function stay(): void {
  setInterval(() => {}, 60_000);
}

switch (what) {
  case 'accept':
    await announce();
    say('accepting');
    await acceptFlow();
    say('accepted');
    stay();
    break;
  case 'allocate':
    await announce();
    say('allocating');
    await allocFlow(name);
    say('allocated');
    stay();
    break;
  case 'echo-once': {
    await announce();
    say('accepting');
    await using flow = await acceptFlow();
    await flow.write(await flow.read());
    say(await flow.read().then(String, (error: unknown) => (error as Error).message));
    break;
  }
  case 'ask-once': {
    await using flow = await allocFlow(name);
    await flow.write(Buffer.from('hello'));
    say((await flow.read()).toString());
    break;
  }
  case 'together': {
    // The first calls of this process, at the same time.
    const flows = await Promise.all([allocFlow(name), acceptFlow()]);
    say(
      flows
        .map(({ fd }) => fd)
        .toSorted((a, b) => a - b)
        .join(' '),
    );
    for (const flow of flows) await flow.close();
    break;
  }
  default:
    throw new Error(`no such part: ${what}`);
}
