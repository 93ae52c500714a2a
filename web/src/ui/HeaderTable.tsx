import classes from "./HeaderTable.module.css";

/** Headers as name and value, folded away until somebody asks. */
export function HeaderTable({ headers, label }: { headers: Record<string, string>; label: string }) {
  return (
    <details className={classes.fold}>
      <summary>{label}</summary>
      <dl className={classes.list}>
        {Object.entries(headers).map(([name, value]) => (
          <div key={name} className={classes.row}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
