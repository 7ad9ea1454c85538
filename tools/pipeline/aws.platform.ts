import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Platform } from './promote.ts';
import { smoke } from './smoke.ts';

export type AwsStage = {
  root: string;
  environment: string;
  app: string;
  /** Of the pipeline, where the image is copied from. */
  repository: string;
  /** Where the environment's balancer answers. Without it nothing is asked. */
  url?: string | undefined;
};

/**
 * An environment that infra/terraform has made. `infra/aws/deploy.sh` does what belongs together there: it copies the image by
 * digest, runs the migration, and releases once that has ended well. CodeBuild runs the same script.
 */
export class AwsPlatform implements Platform {
  readonly #stage: AwsStage;

  constructor(stage: AwsStage) {
    this.#stage = stage;
  }

  take(): Promise<void> {
    return Promise.resolve();
  }

  migrate(): Promise<void> {
    return Promise.resolve();
  }

  deploy(digest: string): Promise<void> {
    const { root, environment, app, repository } = this.#stage;
    const args = [environment, app, `${repository}@${digest}`];
    return new Promise((resolve, reject) => {
      const child = spawn(join(root, 'infra/aws/deploy.sh'), args, { stdio: 'inherit' });
      child.once('error', reject);
      child.once('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`infra/aws/deploy.sh ended with ${code}`)),
      );
    });
  }

  async smoke(): Promise<void> {
    const { app, url } = this.#stage;
    console.log(await smoke({ app, url }));
  }
}
