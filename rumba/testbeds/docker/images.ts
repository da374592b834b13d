/** The images of the docker testbed, for those who manage them. */
import { makeBase, type BaseOptions } from './base-image.ts';
import { Engine } from './engine.ts';
import { type BuildOptions, buildNodeImage, listImages, type OwnImage, removeImage } from './node-image.ts';

/** Every method rejects with EENVIRONMENT when no engine answers. */
export class DockerImages {
  /** Builds the node image from this installation; resolves with its name. */
  async build(options: BuildOptions): Promise<string> {
    return await buildNodeImage(await Engine.connect(options.signal), options);
  }

  /** Makes a base for it from Debian's packages; resolves with its name. Takes root and debootstrap. */
  async makeBase(options: BaseOptions): Promise<string> {
    return await makeBase(await Engine.connect(options.signal), options);
  }

  /** All images of ours, newest first. */
  async list(): Promise<OwnImage[]> {
    return await listImages(await Engine.connect());
  }

  /** Removes an image by its name. Rejects with EUSAGE for one that is not ours. */
  async remove(tag: string): Promise<void> {
    await removeImage(await Engine.connect(), tag);
  }
}
