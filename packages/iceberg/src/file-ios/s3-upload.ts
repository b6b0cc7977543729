import type { PartUpload } from './part-writer.ts';
import { type S3Object, guardS3 } from './s3.ts';
import type { S3Connection } from './s3-connection.ts';

/** S3's multipart upload of one object. */
export function createS3Upload(s3: S3Connection, object: S3Object, location: string): PartUpload {
  const { client, sdk } = s3;
  const tags = new Map<number, string | undefined>();
  let begun: Promise<string | undefined> | undefined;
  const begin = () =>
    (begun ??= client.send(new sdk.CreateMultipartUploadCommand(object)).then(({ UploadId }) => UploadId));
  const guard = <T>(work: () => Promise<T>) => guardS3(location, work);
  return {
    location,
    putWhole: (Body) =>
      guard(async () => {
        await client.send(new sdk.PutObjectCommand({ ...object, Body, ContentLength: Body.length }));
      }),
    putPart: (PartNumber, Body) =>
      guard(async () => {
        const request = { ...object, UploadId: await begin(), PartNumber, Body, ContentLength: Body.length };
        tags.set(PartNumber, (await client.send(new sdk.UploadPartCommand(request))).ETag);
      }),
    complete: (parts, length) =>
      guard(async () => {
        const Parts = Array.from({ length: parts }, (_, index) => ({
          PartNumber: index + 1,
          ETag: tags.get(index + 1),
        }));
        await complete(s3, { ...object, UploadId: await begin(), MultipartUpload: { Parts } }, length);
        begun = undefined;
      }),
    abort: () =>
      guard(async () => {
        const UploadId = await begun?.catch(() => undefined);
        begun = undefined;
        if (UploadId !== undefined) await client.send(new sdk.AbortMultipartUploadCommand({ ...object, UploadId }));
      }),
  };
}

type Completion = S3Object & {
  readonly UploadId: string | undefined;
  readonly MultipartUpload: { readonly Parts: { PartNumber: number; ETag: string | undefined }[] };
};

async function complete({ client, sdk }: S3Connection, request: Completion, length: number): Promise<void> {
  try {
    await client.send(new sdk.CompleteMultipartUploadCommand(request));
  } catch (error) {
    // If the answer to a first attempt was lost, the SDK's second one finds the upload gone and the object there.
    if (!(error instanceof Error && error.name === 'NoSuchUpload')) throw error;
    const { Bucket, Key } = request;
    const found = await client.send(new sdk.HeadObjectCommand({ Bucket, Key })).catch(() => undefined);
    if (found?.ContentLength !== length) throw error;
  }
}
