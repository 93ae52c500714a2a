// One course or webinar: who has access, giving it, and starting a checkout for a patient.
import { Button, Text } from "@mantine/core";
import IconMapOff from "@tabler/icons-react/dist/esm/icons/IconMapOff.mjs";
import IconPencil from "@tabler/icons-react/dist/esm/icons/IconPencil.mjs";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { type Checkout, checkouts, type Item, items, type Made, type Place } from "../api/academy.ts";
import type { Person } from "../api-types.ts";
import { BackLink } from "../billing/BackLink.tsx";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { PageHeader } from "../ui/PageHeader.tsx";
import rows from "../ui/rows.module.css";
import { StateBadge } from "../ui/StateBadge.tsx";
import { Empty, LoadFailed, LoadingRows } from "../ui/states.tsx";
import type { OnSaid, Said } from "./act.ts";
import { ItemForm } from "./ItemForm.tsx";
import { useItemWords } from "./item-words.ts";
import { PatientDialog } from "./PatientDialog.tsx";
import { Places } from "./Places.tsx";
import { itemsQuery } from "./queries.ts";
import { SaidLine } from "./SaidLine.tsx";
import { WithAcademy } from "./WithAcademy.tsx";

const route = getRouteApi("/shell/academy/$itemId");

type Asked = "give" | "start" | "edit";

interface ActProps {
  item: Item;
  onSaid: OnSaid;
  onClose: () => void;
}

function Give({ item, onSaid, onClose }: ActProps) {
  const { t } = useTranslation();
  const { name } = item;
  // What costs nothing is free; what has a price is given by the clinic.
  const how = item.price === 0 ? "free" : "granted";
  const done = ({ made, answer }: Made<Place>, patient: Person) => {
    const said = t(made ? "academy.said.gave" : "academy.said.had", { name: patient.name });
    onSaid({ text: said, subject: made ? answer.subject : null });
  };
  return (
    <PatientDialog
      title={t("academy.giveTitle", { name })}
      text={t("academy.giveText")}
      action={t("academy.give")}
      send={(patient, intent) => items.give(item, { patient_id: patient.id, how }, intent)}
      onDone={done}
      onClose={onClose}
    />
  );
}

function Start({ item, onSaid, onClose }: ActProps) {
  const { t } = useTranslation();
  const done = ({ made, answer }: Made<Checkout>, { name }: Person) => {
    const said = t(made ? "academy.said.started" : "academy.said.again", { name });
    onSaid({ text: said, subject: made ? answer.subject : null });
  };
  return (
    <PatientDialog
      title={t("academy.startTitle", { name: item.name })}
      text={t("academy.startText")}
      action={t("academy.start")}
      send={(patient, intent) => checkouts.start({ type: item.type, id: item.id }, patient.id, intent)}
      onDone={done}
      onClose={onClose}
    />
  );
}

function Dialogs({ asked, ...act }: ActProps & { asked: Asked | null }) {
  const { t } = useTranslation();
  if (asked === "give") return <Give {...act} />;
  if (asked === "start") return <Start {...act} />;
  if (asked !== "edit") return null;
  const { item, onSaid, onClose } = act;
  const saved = () => onSaid({ text: t("academy.said.changed"), subject: null });
  return <ItemForm type={item.type} item={item} onDone={saved} onClose={onClose} />;
}

function Acts({ item, onAsk }: { item: Item; onAsk: (asked: Asked) => void }) {
  const { t } = useTranslation();
  const { role } = useMe();
  return (
    <div className={rows.acts}>
      {item.active && item.price > 0 && <Button onClick={() => onAsk("start")}>{t("academy.start")}</Button>}
      {item.active && (
        <Button variant={item.price > 0 ? "default" : "filled"} onClick={() => onAsk("give")}>
          {t("academy.give")}
        </Button>
      )}
      {role === "manager" && (
        <Button
          variant="default"
          leftSection={<IconPencil size={16} aria-hidden="true" />}
          onClick={() => onAsk("edit")}
        >
          {t("academy.edit")}
        </Button>
      )}
    </div>
  );
}

function OneItem({ item }: { item: Item }) {
  const { t } = useTranslation();
  const words = useItemWords();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [said, setSaid] = useState<Said | null>(null);
  const tell = (news: Said) => {
    setAsked(null);
    setSaid(news);
  };
  const facts = [words.price(item), words.start(item)].filter((fact) => fact !== null);
  return (
    <>
      <PageHeader title={item.name} intro={facts.join(" · ")} action={<Acts item={item} onAsk={setAsked} />} />
      {!item.active && (
        <Text component="div" mb="sm">
          <StateBadge tone="calm" word={t("academy.notActive")} />
        </Text>
      )}
      <SaidLine said={said} />
      <Places item={item} onSaid={tell} />
      <Dialogs asked={asked} item={item} onSaid={tell} onClose={() => setAsked(null)} />
    </>
  );
}

function Content() {
  const { t } = useTranslation();
  const { itemId } = route.useParams();
  const query = useQuery(itemsQuery);
  const item = query.data?.find(({ id }) => String(id) === itemId);
  return (
    <>
      <BackLink to="/academy">{t("academy.all")}</BackLink>
      {item !== undefined ? (
        <OneItem item={item} />
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={() => query.refetch()} />
      ) : query.isPending ? (
        <LoadingRows rows={4} />
      ) : (
        <>
          <PageHeader title={t("academy.notFound")} />
          <Empty icon={IconMapOff} title={t("academy.notFound")} text={t("academy.notFoundText")} />
        </>
      )}
    </>
  );
}

/** See the head of this file. */
export function ItemPage() {
  return (
    <WithAcademy>
      <Content />
    </WithAcademy>
  );
}
