import type { Catalog } from '../catalog.ts';
import type { GlueCatalogOptions } from './glue.ts';
import type { HadoopCatalogOptions } from './hadoop.ts';
import type { HiveCatalogOptions } from './hive.ts';
import type { RestCatalogOptions } from './rest.ts';
import type { SqlCatalogOptions } from './sql.ts';

/** Options of any catalog, told apart by its type. */
export type CatalogOptions =
  | ({ readonly type: 'sql' } & SqlCatalogOptions)
  | ({ readonly type: 'rest' } & RestCatalogOptions)
  | ({ readonly type: 'glue' } & GlueCatalogOptions)
  | ({ readonly type: 'hive' } & HiveCatalogOptions)
  | ({ readonly type: 'hadoop' } & HadoopCatalogOptions);

/** Opens a catalog; only the code and the packages of its type are loaded. */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  switch (options.type) {
    case 'sql':
      return (await import('./sql.ts')).openSqlCatalog(options);
    case 'rest':
      return (await import('./rest.ts')).openRestCatalog(options);
    case 'glue':
      return (await import('./glue.ts')).openGlueCatalog(options);
    case 'hive':
      return (await import('./hive.ts')).openHiveCatalog(options);
    case 'hadoop':
      return (await import('./hadoop.ts')).openHadoopCatalog(options);
    default:
      return options satisfies never;
  }
}
