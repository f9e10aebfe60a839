import {
  type Attributes,
  attributeKeys,
  decode,
  encode,
  type Logs,
  type Metrics,
  type Pdata,
  type Profiles,
  partition,
  type Traces,
} from "../../pipeline/pdata/index.ts";

/** Cuts batches by the text of a resource attribute. Resources without it, or with another kind of value, are left out. */
export function groupsBy(attribute: string): (data: Pdata) => ReadonlyMap<string, Pdata> {
  const { key } = attributeKeys({ key: attribute });
  const keyOf = (resource: Attributes) => resource.string(key);
  return (data) =>
    data.signal === "profiles"
      ? profilesBy(attribute, data as Profiles)
      : partition(data as Traces | Metrics | Logs, keyOf);
}

/** Each part keeps the dictionary that all share. */
function profilesBy(attribute: string, data: Profiles): ReadonlyMap<string, Pdata> {
  const request = decode(data);
  const segmentOf = ({ resource }: (typeof request.resourceProfiles)[number]) =>
    resource?.attributes.find(({ key }) => key === attribute)?.value?.stringValue;
  const segments = new Set(request.resourceProfiles.map(segmentOf));
  const [only] = segments;
  if (segments.size === 1 && only !== undefined) return new Map([[only, data]]);
  const parts = Map.groupBy(request.resourceProfiles, segmentOf);
  return new Map(
    [...parts].flatMap(([segment, resourceProfiles]) =>
      segment === undefined ? [] : [[segment, encode("profiles", { ...request, resourceProfiles })]],
    ),
  );
}
