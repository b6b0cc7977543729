import { type Static, Type } from '@fjord/core/schema';

const text = (title: string, description: string) => Type.Optional(Type.String({ title, description, minLength: 1 }));
const secret = (title: string, description: string) =>
  Type.Optional(Type.String({ title, description, minLength: 1, secret: true }));

/** Options of S3 and compatible stores. */
export const S3Schema = Type.Object({
  region: text('Region', 'Region of the bucket, us-east-1 by default.'),
  endpoint: text('Endpoint', 'URL of an S3-compatible server; AWS by default.'),
  pathStyle: Type.Boolean({
    title: 'Path style',
    description: 'Whether the bucket goes into the path rather than the host name; most compatibles need it.',
    default: false,
  }),
  checksums: Type.Boolean({
    title: 'Checksums',
    description: 'Whether uploads carry CRC checksums, which AWS checks and some compatibles refuse.',
    default: false,
  }),
  accessKeyId: text('Access key id', "By default AWS's own credential chain is used."),
  secretAccessKey: secret('Secret access key', 'Goes with the access key id.'),
  sessionToken: secret('Session token', 'Goes with keys that are lent for a time.'),
});

/** Options of Google Cloud Storage. */
export const GcsSchema = Type.Object({
  keyFile: text('Key file', "A service account's JSON file; Google's default credentials are used otherwise."),
  token: secret('Token', 'An OAuth2 access token.'),
  endpoint: text(
    'Endpoint',
    "URL of another server than Google's, such as an emulator, which is asked without credentials.",
  ),
});

/** Options of Azure Blob Storage and Data Lake Storage. */
export const AzureSchema = Type.Object({
  connectionString: secret('Connection string', 'Says all there is to know about the account.'),
  accountKey: secret('Account key', "The account's shared key."),
  sasToken: secret('SAS token', 'A shared access signature with rights to read, write, delete and list.'),
  tenantId: text('Tenant id', "Of a service principal; the machine's own identity is used if nothing is given."),
  clientId: text('Client id', 'Of a service principal.'),
  clientSecret: secret('Client secret', 'Of a service principal.'),
  endpoint: text('Endpoint', "URL of the account's blobs, for other clouds and emulators."),
});

/** The sections of a config that tell how to reach the storage. */
export type StorageConfig = {
  s3?: Static<typeof S3Schema>;
  gcs?: Static<typeof GcsSchema>;
  azure?: Static<typeof AzureSchema>;
};

/** The storage's properties by the names that Iceberg's own clients use. */
export function storageProperties({ s3, gcs, azure }: StorageConfig): Record<string, string> {
  const isOpen = gcs?.endpoint !== undefined && gcs.keyFile === undefined && gcs.token === undefined;
  return present({
    's3.region': s3?.region,
    's3.endpoint': s3?.endpoint,
    's3.path-style-access': s3?.pathStyle ? 'true' : undefined,
    's3.checksum-enabled': s3?.checksums ? 'true' : undefined,
    's3.access-key-id': s3?.accessKeyId,
    's3.secret-access-key': s3?.secretAccessKey,
    's3.session-token': s3?.sessionToken,
    'gcs.key-file': gcs?.keyFile,
    'gcs.oauth2.token': gcs?.token,
    'gcs.service.host': gcs?.endpoint,
    'gcs.no-auth': isOpen ? 'true' : undefined,
    'adls.connection-string': azure?.connectionString,
    'adls.account-key': azure?.accountKey,
    'adls.sas-token': azure?.sasToken,
    'adls.tenant-id': azure?.tenantId,
    'adls.client-id': azure?.clientId,
    'adls.client-secret': azure?.clientSecret,
    'adls.blob-endpoint': azure?.endpoint,
  });
}

/** The entries that have a value. */
function present(entries: Record<string, string | undefined>): Record<string, string> {
  const found = Object.entries(entries).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(found);
}
