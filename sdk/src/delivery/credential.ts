import type { Stream } from './batch.js';
import type { ServerSettings } from './contract.js';
import type { Transport } from './transport.js';

/** Asked for anew once this share of its life is over. */
const REFRESH_AT = 0.8;
const RETRY_MS = 60_000;

interface Answer {
  token?: unknown;
  expires_in_s?: unknown;
  settings?: unknown;
}

/** The project's key, and beside recording the session's token. Nothing ever waits for the token. */
export class Credential {
  private token: string | undefined;
  private refreshAt = 0;
  private expiresAt = 0;
  private asking = false;
  private session = '';
  private stream = '';

  constructor(
    private readonly key: string,
    private readonly transport: Transport,
    private readonly now: () => number,
    private readonly onSettings: (settings: ServerSettings) => void,
  ) {}

  /** Another session or stream: its token is another one. */
  open(stream: Stream): void {
    this.session = stream.session;
    this.stream = stream.stream;
    this.drop();
    this.refreshAt = 0;
    void this.ask();
  }

  /** For the next attempt. Batches of another session go by the key. */
  current(foreign: boolean): { key: string } | { token: string } {
    const now = this.now();
    if (now >= this.refreshAt) void this.ask();
    return this.token && !foreign && now < this.expiresAt ? { token: this.token } : { key: this.key };
  }

  drop(): void {
    this.token = undefined;
    this.expiresAt = 0;
  }

  private async ask(): Promise<void> {
    if (this.asking || !this.session) return;
    this.asking = true;
    this.refreshAt = this.now() + RETRY_MS;
    const { session, stream } = this;
    const answer = (await this.transport.openSession(JSON.stringify({ key: this.key, session, stream }))) as
      Answer | undefined;
    this.asking = false;
    if (session !== this.session) {
      void this.ask();
      return;
    }
    if (!answer || typeof answer !== 'object') return;
    const lifeMs = Number(answer.expires_in_s) * 1000;
    if (typeof answer.token === 'string' && answer.token.length < 2048 && lifeMs > 0) {
      this.token = answer.token;
      this.expiresAt = this.now() + lifeMs;
      this.refreshAt = this.now() + lifeMs * REFRESH_AT;
    }
    if (answer.settings && typeof answer.settings === 'object') this.onSettings(answer.settings as ServerSettings);
  }
}
