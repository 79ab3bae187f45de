-- Who wants to join this event's waiting room has to have confirmed an e-mail address.
ALTER TABLE event ADD COLUMN waiting_room_verified_email boolean NOT NULL DEFAULT false;
