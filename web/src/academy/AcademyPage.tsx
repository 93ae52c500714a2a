// The clinic's courses and webinars: what there is, and for managers, adding one.
import { Button, Text, Title } from "@mantine/core";
import IconPlus from "@tabler/icons-react/dist/esm/icons/IconPlus.mjs";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Item, ItemType } from "../api/academy.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { PageHeader } from "../ui/PageHeader.tsx";
import rows from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import type { Said } from "./act.ts";
import { ItemForm } from "./ItemForm.tsx";
import { useItemWords } from "./item-words.ts";
import { itemsQuery } from "./queries.ts";
import { SaidLine } from "./SaidLine.tsx";
import { AcademyNav, WithAcademy } from "./WithAcademy.tsx";

function ItemRow({ item }: { item: Item }) {
  const { t } = useTranslation();
  const words = useItemWords();
  const start = words.start(item);
  return (
    <Link to="/academy/$itemId" params={{ itemId: String(item.id) }} className={rows.row}>
      <span className={rows.main}>
        <span className={rows.name}>{item.name}</span>
        {start !== null && <span className={rows.under}>{start}</span>}
      </span>
      {!item.active && <StateBadge tone="calm" word={t("academy.notActive")} />}
      <span className={rows.aside}>{t("academy.participants", { count: item.participants })}</span>
      <span className={rows.number}>{words.price(item)}</span>
    </Link>
  );
}

const WORDS = {
  course: { title: "academy.courses", add: "academy.newCourse", none: "academy.noCourses" },
  webinar: { title: "academy.webinars", add: "academy.newWebinar", none: "academy.noWebinars" },
} as const;

function Kind({ type, items, onNew }: { type: ItemType; items: Item[]; onNew: (type: ItemType) => void }) {
  const { t } = useTranslation();
  const { role } = useMe();
  const words = WORDS[type];
  return (
    <section aria-labelledby={type}>
      <div className={rows.head}>
        <Title order={2} id={type}>
          {t(words.title)}
        </Title>
        {role === "manager" && (
          <Button
            variant="default"
            size="sm"
            leftSection={<IconPlus size={16} aria-hidden="true" />}
            onClick={() => onNew(type)}
          >
            {t(words.add)}
          </Button>
        )}
      </div>
      {items.length === 0 ? (
        <Text c="dimmed">{t(words.none)}</Text>
      ) : (
        <ul className={rows.list} aria-labelledby={type}>
          {items.map((item) => (
            <li key={item.id}>
              <ItemRow item={item} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Content() {
  const { t } = useTranslation();
  const query = useQuery(itemsQuery);
  const [adding, setAdding] = useState<ItemType | null>(null);
  const [said, setSaid] = useState<Said | null>(null);
  const ofType = (type: ItemType) => (query.data ?? []).filter((item) => item.type === type);
  const added = ({ name }: Item) => {
    setAdding(null);
    setSaid({ text: t("academy.said.created", { name }), subject: null });
  };
  return (
    <>
      <PageHeader title={t("academy.title")} intro={t("academy.intro")} />
      <AcademyNav />
      <SaidLine said={said} />
      {query.data === undefined ? (
        query.isError ? (
          <LoadFailed error={query.error} retry={() => query.refetch()} />
        ) : (
          <LoadingRows rows={4} />
        )
      ) : (
        <div className={rows.sections}>
          <Kind type="course" items={ofType("course")} onNew={setAdding} />
          <Kind type="webinar" items={ofType("webinar")} onNew={setAdding} />
        </div>
      )}
      {adding !== null && <ItemForm type={adding} item={null} onDone={added} onClose={() => setAdding(null)} />}
    </>
  );
}

/** See the head of this file. */
export function AcademyPage() {
  return (
    <WithAcademy>
      <Content />
    </WithAcademy>
  );
}
